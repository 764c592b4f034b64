mock_provider "aws" {
  override_data {
    target = data.aws_partition.here
    values = { partition = "aws-cn" }
  }
  override_data {
    target = data.aws_region.here
    values = { id = "cn-north-1" }
  }
}

variables {
  tenant_id        = "acme"
  central_role_arn = "arn:aws-cn:iam::999999999999:role/central-log-distribution"
  name             = "acme-platform-logs"
}

run "one_tenants_path_and_the_owner_owns" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.copies.policy).Statement[0] == {
      Sid       = "CentralRoleCopiesThisTenantsLogs"
      Effect    = "Allow"
      Principal = { AWS = var.central_role_arn }
      Action    = ["s3:PutObject", "s3:PutObjectAcl"]
      Resource  = "arn:aws-cn:s3:::acme-platform-logs/ROSA/cluster-logs/acme/*"
      Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
    }
    error_message = "The central role may add objects below this tenant's name, and nothing else."
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.copies.policy).Statement[1] == {
      Sid       = "CentralRoleEndsUnfinishedCopies"
      Effect    = "Allow"
      Principal = { AWS = var.central_role_arn }
      Action    = "s3:AbortMultipartUpload"
      Resource  = "arn:aws-cn:s3:::acme-platform-logs/ROSA/cluster-logs/acme/*"
    }
    error_message = "It may end there what it has begun there."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.copies.policy).Statement[2].Condition == { Bool = { "aws:SecureTransport" = "false" } }
    error_message = "Plain HTTP is refused."
  }
}

run "closed_to_the_public_and_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.copies.block_public_acls,
      aws_s3_bucket_public_access_block.copies.block_public_policy,
      aws_s3_bucket_public_access_block.copies.ignore_public_acls,
      aws_s3_bucket_public_access_block.copies.restrict_public_buckets,
      one(aws_s3_bucket_ownership_controls.copies.rule).object_ownership == "BucketOwnerEnforced",
      one(one(aws_s3_bucket_server_side_encryption_configuration.copies.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256",
    ])
    error_message = "The bucket must be private, encrypted and its owner's."
  }
}

run "kept_for_ever" {
  command = plan

  variables {
    retention_days = 0
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.copies.rule) == 1
    error_message = "Nothing expires but unfinished uploads."
  }
}

run "a_tenant_that_is_a_path" {
  command         = plan
  expect_failures = [var.tenant_id]

  variables {
    tenant_id = "acme/other"
  }
}

run "a_prefix_without_its_slash" {
  command         = plan
  expect_failures = [var.prefix]

  variables {
    prefix = "logs"
  }
}

run "a_user_as_principal" {
  command         = plan
  expect_failures = [var.central_role_arn]

  variables {
    central_role_arn = "arn:aws:iam::999999999999:user/somebody"
  }
}

run "half_a_day" {
  command         = plan
  expect_failures = [var.retention_days]

  variables {
    retention_days = 0.5
  }
}

run "a_name_in_capitals" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Acme-Logs"
  }
}
