"""The table that a pipeline makes."""

from __future__ import annotations

from aws_cdk import PhysicalName, RemovalPolicy, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from .checks import Check, PipelineError
from .option_checks import check_options
from .references import check_references
from .table_options import TableOptions


def make_table(
    scope: Construct, construct_id: str, *, options: TableOptions, removal_policy: RemovalPolicy
) -> dynamodb.TableV2:
    """Makes a table.

    Args:
        scope: Where to create it.
        construct_id: Id of the table.
        options: Its settings.
        removal_policy: What happens to it when it is removed from the stack, unless the options say otherwise.

    Raises:
        PipelineError: An option has a wrong value, or a customer key is given in a stack without a Region.
    """
    check_options(options)
    check_references(scope, options)
    if options.key is not None and Token.is_unresolved(Stack.of(scope).region):
        raise PipelineError(
            Check.TABLE_KEY_REGION,
            "a table with a customer key needs to know its Region at synthesis; give the stack one: "
            'env=Environment(region="...")',
        )
    return dynamodb.TableV2(
        scope,
        construct_id,
        table_name=PhysicalName.GENERATE_IF_NEEDED,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(options.key)
        if options.key
        else dynamodb.TableEncryptionV2.dynamo_owned_key(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=options.removal_policy or removal_policy,
    )
