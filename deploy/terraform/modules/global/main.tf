# Who may become a customer's role? One role, once for the organisation: every region's workers pass through it, so a
# customer trusts one name, and CloudTrail shows one.

data "aws_partition" "current" {}

# ------------------------------------------------------------------------------------------------------------ the role

locals {
  customer_role_arns = "arn:${data.aws_partition.current.partition}:iam::*:role/${var.customer_role_prefix}*"

  external_ids = length(var.external_ids) == 0 ? {} : { StringEquals = { "sts:ExternalId" = sort(var.external_ids) } }
}

resource "aws_iam_role" "distribution" {
  name                 = var.role_name
  description          = "First hop of log delivery: becomes the customers' roles, and nothing else"
  max_session_duration = 3600 # role chaining allows no more ("IAM roles terms and concepts")

  # The workers by name and not by a condition: IAM ties a named principal to that role's own id, so a role that
  # someone deletes and makes anew under the old name is not trusted until this is applied again.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Workers"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = sort(var.worker_role_arns) }
    }]
  })
}

# ------------------------------------------------------------------------------------------------- what the role may do

resource "aws_iam_role_policy" "customers" {
  name = "customers"
  role = aws_iam_role.distribution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "BecomeCustomersRoles"
        Effect   = "Allow"
        Action   = "sts:AssumeRole"
        Resource = local.customer_role_arns
        # Never without an external id: a customer's role that forgot to ask for one is not entered either.
        Condition = merge({ Null = { "sts:ExternalId" = "false" } }, local.external_ids)
      },
      {
        Sid      = "TagSessionsWithTheTenant"
        Effect   = "Allow"
        Action   = "sts:TagSession"
        Resource = local.customer_role_arns
        Condition = {
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["tenant"] }
          Null                        = { "aws:RequestTag/tenant" = "false" }
        }
      },
    ]
  })
}
