# Who may write a tenant's logs into this account, and where to: one role, one group.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  group_arn = "arn:${data.aws_partition.here.partition}:logs:${data.aws_region.here.id}:${data.aws_caller_identity.here.account_id}:log-group:${var.log_group_name}"

  # The tag that logfanout gives a session if the tenant's row says session_tags.
  said_tag = var.require_session_tag ? { "aws:RequestTag/tenant" = var.tenant_id } : {}
  has_tag  = var.require_session_tag ? { Condition = { StringEquals = { "aws:PrincipalTag/tenant" = var.tenant_id } } } : {}
}

# ── Who may become it ──────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_iam_role" "distribution" {
  # The name is part of the contract: the central role may assume CustomerLogDistribution-* and nothing else.
  name                 = "CustomerLogDistribution-${var.role_suffix}"
  description          = "Lets the log platform write the logs of ${var.tenant_id} to ${var.log_group_name}"
  max_session_duration = 3600 # a chained session lasts an hour at most
  tags                 = merge(var.tags, { "logfanout:tenant" = var.tenant_id })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "CentralRoleWithTheAgreedExternalId"
        Effect    = "Allow"
        Principal = { AWS = var.central_role_arn }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = merge({ "sts:ExternalId" = var.external_id }, local.said_tag) }
      }],
      [for tag in [local.said_tag] : {
        Sid       = "ItsSessionSaysForWhom"
        Effect    = "Allow"
        Principal = { AWS = var.central_role_arn }
        Action    = "sts:TagSession"
        Condition = {
          StringEquals                = tag
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["tenant"] }
        }
      } if var.require_session_tag],
    )
  })
}

# ── What it may do ─────────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_iam_role_policy" "writing" {
  name = "write-to-one-log-group"
  role = aws_iam_role.distribution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge({
      Sid    = "OneLogGroup"
      Effect = "Allow"
      Action = concat(
        ["logs:PutLogEvents", "logs:CreateLogStream"],
        var.platform_makes_group ? ["logs:CreateLogGroup"] : [],
        var.platform_sets_retention_days > 0 ? ["logs:PutRetentionPolicy"] : [],
      )
      # The group, and with ":*" its streams: AWS asks for the group's own actions in the second form too
      # ("Overview of managing access permissions to your CloudWatch Logs resources").
      Resource = [local.group_arn, "${local.group_arn}:*"]
    }, local.has_tag)]
  })
}
