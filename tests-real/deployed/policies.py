"""The policies of a template, through parliament."""
import json

ROLE = "arn:aws:iam::123456789012:role/this"


def of_template(template):
    """Name and document of each policy, resolved."""
    found = []
    for name, resource in template.resources.items():
        properties = resource["Properties"]
        for policy in properties.get("Policies", []):
            found.append((f"{name}.{policy['PolicyName']}", template.resolve(policy["PolicyDocument"])))
        for key in ("AssumeRolePolicyDocument", "PolicyDocument", "KeyPolicy"):
            if key in properties:
                found.append((f"{name}.{key}", template.resolve(properties[key])))
    return found


def findings(policy, name=""):
    import parliament
    # In the policy of a key, * is that key.
    quiet = {"RESOURCE_STAR"} if name.endswith(".KeyPolicy") else set()
    if name.endswith(".AssumeRolePolicyDocument"):
        # The policy of a role is about that role, and does not say so.
        statements = [statement | {"Resource": ROLE} for statement in policy["Statement"]]
        policy = policy | {"Statement": statements}
    found = parliament.analyze_policy_string(json.dumps(policy)).findings
    return [f"{one.issue} {one.detail}" for one in found if one.issue not in quiet]


def actions(found):
    """What is granted to whom it may concern: effect, actions, conditions' keys of each statement."""
    return sorted(described(statement) for _, policy in found for statement in policy["Statement"])


def many_lines(tests):
    """Conditions, one a line."""
    return [f"{test} {key} {values}" for (test, key), values in sorted(tests.items())]


def described(statement):
    tests = {(test, key): many(value) for test, keys in statement.get("Condition", {}).items()
             for key, value in keys.items()}
    return [statement.get("Effect", "Allow"), many(statement["Action"]),
            many(statement.get("Resource", [])), many_lines(tests)]


def many(value):
    return sorted(value if isinstance(value, list) else [value])
