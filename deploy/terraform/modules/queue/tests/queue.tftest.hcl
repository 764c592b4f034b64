mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name      = "logs"
  topic_arn = "arn:aws:sns:eu-central-1:999999999999:logs-notices"
}

run "notices_are_kept_hidden_and_set_aside" {
  command = apply

  assert {
    condition     = aws_sqs_queue.notices.visibility_timeout_seconds > var.drain_seconds
    error_message = "A message would be shown again while its task still drains."
  }

  assert {
    condition     = aws_sqs_queue.notices.visibility_timeout_seconds == 120
    error_message = "The visibility must be what the worker extends by when nobody says otherwise: 120 s."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.notices, aws_sqs_queue.dead_letters] : queue.message_retention_seconds == 1209600])
    error_message = "Both queues must keep messages for 14 days, the most there is."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.notices.redrive_policy).maxReceiveCount == 20
    error_message = "With fewer than 10 receives a message that waits out a closed role is given up within minutes."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.notices.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "What is given up must go to the dead letters."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:999999999999:logs-notices"]
    }
    error_message = "The dead letters must take the notices' redrive and no other queue's."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.notices, aws_sqs_queue.dead_letters] : queue.kms_master_key_id == aws_kms_key.notices.arn])
    error_message = "Both queues must be encrypted with the module's key."
  }

  assert {
    condition     = aws_kms_key.notices.enable_key_rotation
    error_message = "The key must rotate."
  }

  assert {
    condition     = aws_sns_topic_subscription.notices.raw_message_delivery && aws_sns_topic_subscription.notices.protocol == "sqs"
    error_message = "S3's event must come as it is."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name               = "Logs!"
    topic_arn          = "logs-notices"
    drain_seconds      = 200
    visibility_seconds = 20
    maximum_receives   = 5
    key_deletion_days  = 3
  }

  expect_failures = [
    var.name, var.topic_arn, var.drain_seconds, var.maximum_receives, var.key_deletion_days,
  ]
}


run "values_that_do_not_fit_each_other_are_refused" {
  command = plan

  variables {
    drain_seconds      = 100
    visibility_seconds = 100
  }

  expect_failures = [var.visibility_seconds]
}
