"""kopf, and only kopf: watches of the custom resources and login. Everything that it hears goes into the mirror.

Used are `on.event` and `on.login` alone: change-detecting handlers would keep their state in annotations of users'
objects and cost two more writes each (notes/python-operator.md 0 and 1.9).
"""
