"""What the stacks are made of. Access is given through the CDK's grants, never by a policy written by hand."""
