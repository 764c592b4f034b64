# How do tasks without a way to the internet reach AWS?
#
#     tasks ──► gateway endpoints: S3, DynamoDB         (free)
#           ──► interface endpoints: SQS, STS, Logs, ECR  (per hour, zone and GB)
#
# A network that has these endpoints already does not call this module. Tenants in other regions are reached through
# the network's own way out: an endpoint serves its own region alone.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  gateways   = toset(["s3", "dynamodb"])
  interfaces = toset(["sqs", "sts", "logs", "ecr.api", "ecr.dkr"])

  account_id = data.aws_caller_identity.current.account_id
  accounts   = sort(setunion([local.account_id], var.trusted_account_ids))

  # Sessions of our own account, and of that of the central role; a stolen foreign key gets nothing out this way.
  ours = {
    for service in setunion(local.gateways, local.interfaces) : service => {
      Sid       = "OurAccounts"
      Effect    = "Allow"
      Principal = "*"
      Action    = "${split(".", service)[0]}:*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.accounts } }
    }
  }

  # Layers of images lie in buckets of ECR's and are fetched with its signature, not with ours.
  layers = {
    Sid       = "LayersOfImages"
    Effect    = "Allow"
    Principal = "*"
    Action    = "s3:GetObject"
    Resource  = "arn:${data.aws_partition.current.partition}:s3:::prod-*-starport-layer-bucket/*"
  }

  # Tenants' sessions come from the tenants' accounts: what they may do is the tenants' roles' to say.
  deliveries = {
    Sid       = "CustomersRoles"
    Effect    = "Allow"
    Principal = "*"
    Action    = ["logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    Resource  = "*"
    Condition = {
      ArnLike = { "aws:PrincipalArn" = "arn:${data.aws_partition.current.partition}:iam::*:role/${var.customer_role_prefix}*" }
    }
  }

  policies = {
    for service, ours in local.ours : service => jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        [ours],
        [for statement in [local.layers] : statement if service == "s3"],
        [for statement in [local.deliveries] : statement if service == "logs"],
      )
    })
  }
}

# Looked up, since their names differ between partitions.
data "aws_vpc_endpoint_service" "gateways" {
  for_each = local.gateways

  service      = each.key
  service_type = "Gateway"
}

data "aws_vpc_endpoint_service" "interfaces" {
  for_each = local.interfaces

  service      = each.key
  service_type = "Interface"
}

# ------------------------------------------------------------------------------------------------------------ gateways

resource "aws_vpc_endpoint" "gateways" {
  for_each = local.gateways

  vpc_id            = var.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = data.aws_vpc_endpoint_service.gateways[each.key].service_name
  route_table_ids   = var.route_table_ids
  policy            = local.policies[each.key]

  tags = { Name = "${var.name}-${each.key}" }
}

# ---------------------------------------------------------------------------------------------------------- interfaces

resource "aws_security_group" "interfaces" {
  name        = "${var.name}-endpoints"
  description = "Endpoints of AWS services: HTTPS from the workers, nothing else"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.interfaces.id
  description                  = "HTTPS from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interfaces" {
  for_each = local.interfaces

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = data.aws_vpc_endpoint_service.interfaces[each.key].service_name
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.interfaces.id]
  private_dns_enabled = true
  policy              = local.policies[each.key]

  tags = { Name = "${var.name}-${each.key}" }
}
