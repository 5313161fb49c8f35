"""kopf, and only kopf: watches of what people set (projects, departments, node pools), and login.

Workloads are as numerous as pods and come through an informer of our own (docs/decisions/0002).

Used are `on.event` and `on.login` alone: change-detecting handlers would keep their state in annotations of users'
objects and cost two more writes each (notes/python-operator.md 0 and 1.9).
"""
