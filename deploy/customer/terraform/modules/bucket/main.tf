# Where copies of a tenant's log objects go, if it wants S3: a bucket that the platform may add to, under one tenant's name.

data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  bucket_arn = "arn:${data.aws_partition.here.partition}:s3:::${var.name}"
}

# ── The bucket ─────────────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_s3_bucket" "copies" {
  #checkov:skip=CKV_AWS_18:Where access logs would go is the customer's to say; CloudTrail's data events see every copy.
  #checkov:skip=CKV_AWS_21:Each copy has a key of its own and is written once; versions would keep what repeated deliveries replace.
  #checkov:skip=CKV_AWS_144:Copies of logs that lie in the platform's bucket too: a second region is the customer's to say.
  #checkov:skip=CKV_AWS_145:SSE-S3: a KMS key would have to be opened to the platform's account as well.
  #checkov:skip=CKV2_AWS_62:Whom to tell of a copy is the customer's to say.
  bucket = var.name
  tags   = var.tags
}

resource "aws_s3_bucket_public_access_block" "copies" {
  bucket                  = aws_s3_bucket.copies.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "copies" {
  bucket = aws_s3_bucket.copies.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "copies" {
  bucket = aws_s3_bucket.copies.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "copies" {
  bucket = aws_s3_bucket.copies.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = toset([for days in [var.retention_days] : tostring(days) if days > 0])

    content {
      id     = "retention"
      status = "Enabled"

      filter {}

      expiration {
        days = tonumber(rule.value)
      }
    }
  }
}

# ── Who may add to it ──────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_s3_bucket_policy" "copies" {
  bucket = aws_s3_bucket.copies.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CentralRoleCopiesThisTenantsLogs"
        Effect    = "Allow"
        Principal = { AWS = var.central_role_arn }
        # The copy names an ACL, which asks for the second action too; the bucket's owner owns the object either way.
        Action = ["s3:PutObject", "s3:PutObjectAcl"]
        # The tenant's name is in the path: no other tenant of the platform can be made to write here.
        Resource  = "${local.bucket_arn}/${var.prefix}${var.tenant_id}/*"
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
      },
      {
        Sid       = "CentralRoleEndsUnfinishedCopies"
        Effect    = "Allow"
        Principal = { AWS = var.central_role_arn }
        # A large object is copied in parts; what cannot be finished is not to be paid for.
        Action   = "s3:AbortMultipartUpload"
        Resource = "${local.bucket_arn}/${var.prefix}${var.tenant_id}/*"
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # Else the block could come between a policy that is not public and S3's opinion of it.
  depends_on = [aws_s3_bucket_public_access_block.copies]
}
