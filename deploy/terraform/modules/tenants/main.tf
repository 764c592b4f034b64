# Who gets which logs, and what has been delivered already?
#
#     directory: tenant_id, type ──► where a tenant wants its logs
#     ledger:    object_id       ──► what each destination has taken, for two days

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

# ------------------------------------------------------------------------------------------------------------- the key

resource "aws_kms_key" "tables" {
  description             = "${var.name}: the table of tenants and the ledger"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # Without it the key could be managed by nobody; who in the account may use it is IAM's to say.
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "tables" {
  name          = "alias/${var.name}-tables"
  target_key_id = aws_kms_key.tables.key_id
}

# ----------------------------------------------------------------------------------------------------------- the tables

resource "aws_dynamodb_table" "directory" {
  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "tenant_id"
  range_key                   = "type"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "tenant_id"
    type = "S"
  }

  attribute {
    name = "type"
    type = "S"
  }

  ttl {
    enabled        = true
    attribute_name = "ttl"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.tables.arn
  }
}

resource "aws_dynamodb_table" "ledger" {
  #checkov:skip=CKV_AWS_28:What the ledger holds is worth two days; without it an object is delivered twice, and none is lost
  name         = "${var.name}-ledger"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "object_id"

  attribute {
    name = "object_id"
    type = "S"
  }

  ttl {
    enabled        = true
    attribute_name = "ttl"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.tables.arn
  }
}
