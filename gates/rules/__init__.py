"""The rules over definitions of state machines, by what they look at."""

from gates.rules import failures, machine, requests, states

RULES = (*machine.RULES, *states.RULES, *failures.RULES, *requests.RULES)
