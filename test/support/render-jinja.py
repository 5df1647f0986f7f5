"""Evaluates templates as Home Assistant does for MQTT: a JSON array of {template, payload} in, an array of texts out."""

import json
import sys

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Home Assistant only logs what is undefined; here it is a mistake of ours.
environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def render(template, payload):
    variables = {"value": payload}
    try:
        variables["value_json"] = json.loads(payload)
    except ValueError:
        pass
    return environment.from_string(template).render(variables).strip()


print(json.dumps([render(one["template"], one["payload"]) for one in json.load(sys.stdin)]))
