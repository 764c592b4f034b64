mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name        = "logs"
  bucket_name = "logs-999999999999"
}

run "logs_are_sealed_and_private" {
  command = apply

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.logs.rule :
      rule.bucket_key_enabled && one(rule.apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" &&
      one(rule.apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.logs.arn
    ])
    error_message = "Objects must be encrypted with the module's key, through a bucket key."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.logs.block_public_acls, aws_s3_bucket_public_access_block.logs.block_public_policy,
      aws_s3_bucket_public_access_block.logs.ignore_public_acls, aws_s3_bucket_public_access_block.logs.restrict_public_buckets,
    ])
    error_message = "The bucket must be closed to the public in all four ways."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.logs.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Whoever writes an object, the bucket's owner must own it."
  }

  assert {
    condition     = aws_s3_bucket_versioning.logs.versioning_configuration[0].status == "Enabled"
    error_message = "What is overwritten or deleted must be there for some days more."
  }

  assert {
    condition     = aws_sns_topic.notices.kms_master_key_id == aws_kms_key.logs.arn && aws_kms_key.logs.enable_key_rotation
    error_message = "Notices must be encrypted with the module's key, which must rotate."
  }
}

run "every_object_is_announced_and_goes_in_time" {
  command = apply

  assert {
    condition     = aws_s3_bucket_notification.created.topic[0].events == toset(["s3:ObjectCreated:*"])
    error_message = "Every way of making an object must be announced."
  }

  assert {
    condition     = aws_s3_bucket_notification.created.topic[0].topic_arn == aws_sns_topic.notices.arn
    error_message = "The bucket must announce into the module's topic."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.logs.rule :
      rule.status == "Enabled" && rule.expiration[0].days == 90 && rule.noncurrent_version_expiration[0].noncurrent_days == 3 &&
      rule.abort_incomplete_multipart_upload[0].days_after_initiation == 1
      if rule.id == "expire"
    ])
    error_message = "Objects, old versions and halves of uploads must all go."
  }

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.logs.rule :
      one(rule.transition).storage_class => [one(rule.transition).days, rule.filter[0].object_size_greater_than] if rule.id != "expire"
    } == { INTELLIGENT_TIERING = [1, 1048576] }
    error_message = "Large objects, and no others, must move to Intelligent-Tiering unless told otherwise."
  }
}

run "the_central_role_reads_wherever_it_lives" {
  command = apply

  variables {
    central_role_arn = "arn:aws:iam::888888888888:role/CentralLogDistribution"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_s3_bucket_policy.logs.policy).Statement :
      [statement.Principal, statement.Action, statement.Condition] if statement.Effect == "Allow"
      ] == [[
        { AWS = "arn:aws:iam::888888888888:root" }, ["s3:GetObject", "s3:GetObjectVersion"],
        { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::888888888888:role/CentralLogDistribution" } },
    ]]
    error_message = "The central role, and nobody else of its account, must be able to read what it copies."
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_kms_key.logs.policy).Statement : statement.Action if statement.Sid == "CentralRoleOpensLogs"
    ]) == "kms:Decrypt"
    error_message = "What it reads it must be able to open, and no more."
  }
}

run "without_a_central_role_nobody_is_let_in" {
  command = apply

  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.logs.policy).Statement : statement.Effect == "Deny"])
    error_message = "Where nothing is copied, the bucket's policy must allow nothing."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name             = "L"
    bucket_name      = "Logs.With.Dots"
    transitions_days = { DEEP_ARCHIVE = 10 }
    expire_days      = 7
    undelete_days    = 0

    transition_minimum_bytes = 1024
    key_deletion_days        = 31
  }

  expect_failures = [
    var.name, var.bucket_name, var.transitions_days, var.transition_minimum_bytes, var.undelete_days, var.key_deletion_days,
  ]
}


run "values_that_do_not_fit_each_other_are_refused" {
  command = plan

  variables {
    transitions_days = { STANDARD_IA = 30 }
    expire_days      = 30
  }

  expect_failures = [var.expire_days]
}

run "an_object_that_goes_before_its_notice_is_refused" {
  command = plan

  variables {
    expire_days = 14
  }

  expect_failures = [var.expire_days]
}
