"""Keyway's CloudFormation stacks, one file each; each only composes what ``infra/constructs`` owns.

    keys.py            what must outlive everything: the table, its KMS key, the secret of hosted keys
    flags.py           the feature flags in AppConfig, rolled out slowly and rolled back on an alarm
    gateway.py         the layers, the gateway and its URL, the workspace-keys function
    observability.py   dashboard, alarms, saved queries
    example.py         a state machine that calls the gateway

``deployment.py`` composes all. What an operator can choose is ``infra/options.py``, what everything is called
``infra/names.py``.
"""
