"""What is said of an object when it is submitted: refused with everything that is wrong, or taken with warnings.

Door: `review`. It asks the very functions that the reconcilers ask later (`core.submission`, `core.tenancy`,
`core.intake`), so an object that is taken because nobody was there to review it is answered in its status with the same
words. What the API server knows to be wrong (schema, CEL) it has refused before. The webhook calls.
"""

from aliquot.core.admission.examination import Refusal, Surroundings
from aliquot.core.admission.review import Reviewed, Verdict, review

__all__ = ["Refusal", "Reviewed", "Surroundings", "Verdict", "review"]
