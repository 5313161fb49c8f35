"""What runs in the container: image, command line, environment."""

from typing import Annotated

from aliquot.contracts.kinds.rules import StringRules
from aliquot.contracts.kinds.shapes import Shape, one_of, text
from aliquot.contracts.kinds.texts import ImageName
from aliquot.contracts.kinds.wrappers import UNDER_A_KEY, BoolValue, CommandText, KeyedItems, LongText, Value

ImageValue = Value[ImageName, StringRules]
PullPolicy = Value[Annotated[str, one_of("Always", "IfNotPresent", "Never")], StringRules]
Texts = KeyedItems[Annotated[str, text(32768), UNDER_A_KEY]]


class ContainerParameters(Shape):
    """What runs in the container."""

    arguments: CommandText = CommandText()
    """Arguments of the command, or of the image's own entry point if no command is given. One line, split at spaces
    as a shell does, quotes included."""
    command: CommandText = CommandText()
    """Command to run instead of the image's entry point. One line, split at spaces as a shell does, quotes
    included."""
    create_home_dir: BoolValue = BoolValue()
    """Whether the container gets a home directory of its own, which is lost when it ends. Left out, it does if
    runAsUser is set."""
    environment: Texts = Texts()
    """Environment variables of the container, by name. A value SECRET:name,key is read from that key of that Secret in
    the project's namespace."""
    image: ImageValue = ImageValue()
    """Container image to run, such as ubuntu:24.04."""
    image_pull_policy: PullPolicy = PullPolicy()
    """When the node fetches the image: Always, IfNotPresent or Never."""
    stdin: BoolValue = BoolValue()
    """Whether the container's input stays open, for those who attach to it."""
    tty: BoolValue = BoolValue()
    """Whether the container has a terminal."""
    working_dir: LongText = LongText()
    """Directory in which the container starts. Left out, as the image says."""
