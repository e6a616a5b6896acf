"""Why a trace is broken: checks of the deployment, and what a request's trace and logs show."""
