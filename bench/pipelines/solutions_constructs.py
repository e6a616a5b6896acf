"""The pipeline with five AWS Solutions Constructs, chained the way their documentation shares resources."""

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_solutions_constructs.aws_apigateway_lambda import ApiGatewayToLambda
from aws_solutions_constructs.aws_lambda_dynamodb import LambdaToDynamoDB
from aws_solutions_constructs.aws_lambda_sns import LambdaToSns
from aws_solutions_constructs.aws_sns_sqs import SnsToSqs
from aws_solutions_constructs.aws_sqs_lambda import SqsToLambda


def build(stack: Stack, ingest: str, worker: str) -> None:
    """Adds the pipeline to a stack; the handlers' code is in the folders."""
    api = ApiGatewayToLambda(
        stack,
        "Api",
        lambda_function_props=lambda_.FunctionProps(
            runtime=lambda_.Runtime.PYTHON_3_14, handler="app.handler", code=lambda_.Code.from_asset(ingest)
        ),
    )
    publish = LambdaToSns(stack, "Publish", existing_lambda_obj=api.lambda_function)
    deliver = SnsToSqs(stack, "Deliver", existing_topic_obj=publish.sns_topic)
    work = SqsToLambda(
        stack,
        "Work",
        existing_queue_obj=deliver.sqs_queue,
        lambda_function_props=lambda_.FunctionProps(
            runtime=lambda_.Runtime.PYTHON_3_14, handler="app.handler", code=lambda_.Code.from_asset(worker)
        ),
    )
    LambdaToDynamoDB(stack, "Store", existing_lambda_obj=work.lambda_function)
