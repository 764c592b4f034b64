mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "logs"
  queue_name        = "logs-notices"
  dead_letters_name = "logs-dead-letters"
  table_names       = ["tenant-configurations"]
  log_group_name    = "/logfanout/logs"

  fleets    = { workers = { cluster_name = "logs", service_name = "logs-worker", maximum_tasks = 20 } }
  functions = { spare = { function_name = "logs-spare", maximum_concurrency = 5 } }
}

run "everything_that_loses_or_delays_logs_is_told" {
  command = apply

  assert {
    condition = toset(output.alarm_names) == toset([
      "logs-dead-letters", "logs-oldest-message", "logs-failed-deliveries", "logs-throttled-accounts", "logs-faults",
      "logs-throttled-tenant-configurations", "logs-workers-at-maximum", "logs-workers-nobody-works",
      "logs-spare-throttled", "logs-spare-errors", "logs-spare-at-maximum",
    ])
    error_message = "An alarm is missing, or there is one that docs/operating.md does not name."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.people["dead-letters"].threshold == 0 && aws_cloudwatch_metric_alarm.people["dead-letters"].dimensions.QueueName == "logs-dead-letters"
    error_message = "The first dead letter must be told."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.people["workers-at-maximum"].threshold == 19
    error_message = "A fleet of all the tasks it may have must be told."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.people : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "Every alarm must reach the topic, and so must its end."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.nobody_works["workers"].treat_missing_data == "breaching"
    error_message = "A fleet that is gone says nothing: silence must be the alarm."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.alarms.arn
    error_message = "The topic must be encrypted with the module's key."
  }

  assert {
    condition     = alltrue([for event, filter in aws_cloudwatch_log_metric_filter.spoken : filter.pattern == "{ $.event = \"${event}\" }"])
    error_message = "A filter must read the field the worker writes its event's name into."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.region.dashboard_body).widgets) == 8
    error_message = "The dashboard must show the alarms, the queue, the log, the fleet and the function."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                       = "l"
    queue_name                 = "https://sqs"
    dead_letters_name          = "*"
    table_names                = ["*"]
    log_group_name             = "with spaces"
    fleets                     = { workers = { cluster_name = "logs", service_name = "logs-worker", maximum_tasks = 0 } }
    functions                  = { spare = { function_name = "logs-spare", maximum_concurrency = 1 } }
    oldest_message_seconds     = 1
    failed_deliveries_a_minute = -1
    throttles_a_minute         = -1
    key_deletion_days          = 1
  }

  expect_failures = [
    var.name, var.queue_name, var.dead_letters_name, var.table_names, var.log_group_name, var.fleets, var.functions,
    var.oldest_message_seconds, var.failed_deliveries_a_minute, var.throttles_a_minute, var.key_deletion_days,
  ]
}
