# Where do the collectors put logs, and who hears of it?
#
#     bucket ──► ObjectCreated ──► topic ──► whoever subscribes (the queue module, or consumers of your own)

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id

  # The name KMS sees S3 under; in China both forms are in use.
  s3_service = distinct([
    "s3.${local.region}.amazonaws.com",
    "s3.${local.region}.${data.aws_partition.current.dns_suffix}",
  ])

  # By name, so that the plan shows the whole policy before there is a bucket.
  bucket_arn = "arn:${local.partition}:s3:::${var.bucket_name}"
  topic_arn  = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${var.name}-notices"

  # The central role, where there is one: its account in each statement's Principal, itself in the condition. So it need
  # not exist yet (a policy that names a role which is not there is refused), and one in another account is let in too.
  readers = var.central_role_arn == "" ? {} : {
    central = "arn:${local.partition}:iam::${split(":", var.central_role_arn)[4]}:root"
  }
}

# ------------------------------------------------------------------------------------------------------------- the key

resource "aws_kms_key" "logs" {
  description             = "${var.name}: logs in the bucket, notices in the topic"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        # Without it the key could be managed by nobody; who in the account may use it is IAM's to say.
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "BucketAnnouncesIntoTheTopic"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          ArnEquals    = { "aws:SourceArn" = local.bucket_arn }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      },
      ],
      [for account in values(local.readers) : {
        Sid       = "CentralRoleOpensLogs"
        Effect    = "Allow"
        Principal = { AWS = account }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = {
          ArnEquals    = { "aws:PrincipalArn" = var.central_role_arn }
          StringEquals = { "kms:ViaService" = local.s3_service }
        }
    }])
  })
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs.key_id
}

# ---------------------------------------------------------------------------------------------------------- the bucket

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_144:Logs are on their way; what must survive a region is in the tenants' accounts already
  #checkov:skip=CKV_AWS_18:CloudTrail's data events say who read an object; access logs of a bucket of logs double its requests
  bucket        = var.bucket_name
  force_destroy = var.destroy_with_logs
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    bucket_key_enabled = true # one call to KMS for many objects, instead of one each

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.logs.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket = aws_s3_bucket.logs.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket     = aws_s3_bucket.logs.id
  depends_on = [aws_s3_bucket_public_access_block.logs]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "OverTlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # A collector that names no key gets the bucket's; one that names another would lock the workers out.
        Sid       = "UnderOurKeyOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}/*"
        Condition = {
          StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = aws_kms_key.logs.arn }
          Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
        }
      },
      {
        Sid       = "UnderKmsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}/*"
        Condition = {
          StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
          Null            = { "s3:x-amz-server-side-encryption" = "false" }
        }
      },
      ],
      [for account in values(local.readers) : {
        Sid       = "CentralRoleReadsWhatItCopies"
        Effect    = "Allow"
        Principal = { AWS = account }
        Action    = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource  = "${local.bucket_arn}/*"
        Condition = { ArnEquals = { "aws:PrincipalArn" = var.central_role_arn } }
    }])
  })
}

# ----------------------------------------------------------------------------------------------------------- lifecycle

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket     = aws_s3_bucket.logs.id
  depends_on = [aws_s3_bucket_versioning.logs]

  # Small objects stay: a move costs as much as a month of half a megabyte (docs/cost.md).
  dynamic "rule" {
    for_each = var.transitions_days

    content {
      id     = "move-to-${lower(rule.key)}"
      status = "Enabled"

      filter {
        object_size_greater_than = var.transition_minimum_bytes
      }

      transition {
        storage_class = rule.key
        days          = rule.value
      }
    }
  }

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.expire_days
    }

    noncurrent_version_expiration {
      noncurrent_days = var.undelete_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# ----------------------------------------------------------------------------------------------------------- the topic

resource "aws_sns_topic" "notices" {
  name              = "${var.name}-notices"
  kms_master_key_id = aws_kms_key.logs.arn
}

resource "aws_sns_topic_policy" "notices" {
  arn = aws_sns_topic.notices.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "BucketAnnounces"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = local.bucket_arn }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      },
      {
        Sid       = "OverTlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_s3_bucket_notification" "created" {
  bucket     = aws_s3_bucket.logs.id
  depends_on = [aws_sns_topic_policy.notices] # S3 tries to publish when this is made

  topic {
    topic_arn = aws_sns_topic.notices.arn
    events    = ["s3:ObjectCreated:*"]
  }
}
