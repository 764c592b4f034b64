# Who may become a customer's role, and copy into a customer's bucket? One role, once for the organisation: every region's
# workers pass through it, so a customer trusts one name, and CloudTrail shows one.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

# ------------------------------------------------------------------------------------------------------------ the role

locals {
  customer_role_arns = "arn:${data.aws_partition.current.partition}:iam::*:role/${var.customer_role_prefix}*"

  external_ids = length(var.external_ids) == 0 ? {} : { StringEquals = { "sts:ExternalId" = sort(var.external_ids) } }
}

resource "aws_iam_role" "distribution" {
  name                 = var.role_name
  description          = "First hop of log delivery: becomes the customers' roles, and copies into their buckets"
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

# ----------------------------------------------------------------------------- copies from our buckets into customers' own

locals {
  partition        = data.aws_partition.current.partition
  our_accounts     = sort(setunion([data.aws_caller_identity.current.account_id], var.platform_account_ids))
  staging_arns     = [for name in sort(var.staging_bucket_names) : "arn:${local.partition}:s3:::${name}"]
  s3_of_any_region = distinct(["s3.*.amazonaws.com", "s3.*.${data.aws_partition.current.dns_suffix}"])

  # Not ours, and known not to be: without the second line a request that did not say whose the thing is would pass.
  not_ours = {
    StringNotEquals = { "aws:ResourceAccount" = local.our_accounts }
    Null            = { "aws:ResourceAccount" = "false" }
  }
}

resource "aws_iam_role_policy" "copies" {
  for_each = length(var.staging_bucket_names) == 0 ? {} : { copies = local.staging_arns }

  name = each.key
  role = aws_iam_role.distribution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadStagedLogs"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = [for arn in each.value : "${arn}/*"]
        # A bucket is named here before it is made: until then the name may be somebody else's.
        Condition = { StringEquals = { "aws:ResourceAccount" = local.our_accounts } }
      },
      {
        # Keys are known after their regions only; what they seal is known by name: S3 tells KMS the bucket with a bucket
        # key, and the object without one ("Using server-side encryption with AWS KMS keys").
        Sid      = "OpenStagedLogs"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = [for account in local.our_accounts : "arn:${local.partition}:kms:*:${account}:key/*"]
        Condition = {
          StringLike = {
            "kms:ViaService"                   = local.s3_of_any_region
            "kms:EncryptionContext:aws:s3:arn" = flatten([for arn in each.value : [arn, "${arn}/*"]])
          }
        }
      },
      {
        # Wherever a bucket's owner lets us, but never into a bucket of ours: a tenant's row must not be able to name one.
        # The parts of a large copy carry no ACL of their own.
        Sid       = "CopyIntoCustomersBuckets"
        Effect    = "Allow"
        Action    = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]
        Resource  = "arn:${local.partition}:s3:::*/*"
        Condition = merge(local.not_ours, { StringEqualsIfExists = { "s3:x-amz-acl" = "bucket-owner-full-control" } })
      },
      {
        Sid       = "SealCopiesUnderCustomersKeys"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"] # Decrypt: the parts of a large copy
        Resource  = "arn:${local.partition}:kms:*:*:key/*"
        Condition = merge(local.not_ours, { StringLike = { "kms:ViaService" = local.s3_of_any_region } })
      },
    ]
  })
}
