"""What an account has once in a Region for tracing, in a stack of its own that is deployed first.

`traced-pipeline verify STACK --account` and `make deploy` say which word is right for an account. Other stacks rely on
what is made here: their APIs log with the role (`account_logging_role="existing"`, the default), and their topics need
no resource policy of their own (`trace_permission="none"`), of which an account holds five.
"""

from aws_cdk import App, Stack
from constructs import Construct
from traced_pipeline import AccountTracing


class Account(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        AccountTracing(
            self,
            "Tracing",
            sns_permission="create",
            api_logging_role="create",
            # On, it moves all traces of the account to CloudWatch Logs, at its prices.
            transaction_search="none",
            application_signals="none",
            sampling_rule="none",
        )


if __name__ == "__main__":
    app = App()
    Account(app, "Account")
    app.synth()
