mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name      = "logs"
  topic_arn = "arn:aws:sns:eu-central-1:999999999999:logs-notices"
}

run "a_message_outlives_the_drain" {
  command = apply

  assert {
    condition     = aws_sqs_queue.notices.visibility_timeout_seconds > var.drain_seconds
    error_message = "A message would be shown again while its task still drains."
  }

  assert {
    condition     = aws_sqs_queue.notices.visibility_timeout_seconds == 120
    error_message = "The visibility must be what the worker extends by when nobody says otherwise: 120 s."
  }
}

run "nothing_is_lost_to_an_outage" {
  command = apply

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.notices, aws_sqs_queue.dead_letters] : queue.message_retention_seconds == 1209600])
    error_message = "Both queues must keep messages for 14 days, the most there is."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.notices.redrive_policy).maxReceiveCount >= 10
    error_message = "With fewer than 10 receives a message that waits out a closed role is given up within minutes."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.notices.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "What is given up must go to the dead letters."
  }
}

run "only_this_queue_sets_aside_into_the_dead_letters" {
  command = apply

  assert {
    condition = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:999999999999:logs-notices"]
    }
    error_message = "The dead letters must take the notices' redrive and no other queue's."
  }
}

run "everything_is_sealed_with_our_key" {
  command = apply

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.notices, aws_sqs_queue.dead_letters] : queue.kms_master_key_id == aws_kms_key.notices.arn])
    error_message = "Both queues must be encrypted with the module's key."
  }

  assert {
    condition     = aws_kms_key.notices.enable_key_rotation
    error_message = "The key must rotate."
  }
}

run "s3s_event_comes_as_it_is" {
  command = apply

  assert {
    condition     = aws_sns_topic_subscription.notices.raw_message_delivery && aws_sns_topic_subscription.notices.protocol == "sqs"
    error_message = "The subscription must deliver raw."
  }
}

run "a_visibility_below_the_drain_is_refused" {
  command = plan

  variables {
    visibility_seconds = 20
  }

  expect_failures = [var.visibility_seconds]
}

run "few_receives_are_refused" {
  command = plan

  variables {
    maximum_receives = 5
  }

  expect_failures = [var.maximum_receives]
}

run "a_topic_by_its_name_is_refused" {
  command = plan

  variables {
    topic_arn = "logs-notices"
  }

  expect_failures = [var.topic_arn]
}
