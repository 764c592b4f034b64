# Who is woken, and by what?
#
#     queue, dead letters, tables, fleets, functions ──► AWS's own metrics ──┐
#     the workers' log ──► filters on the events docs/operating.md names  ──┴──► alarms ──► topic ──► people
#
# An alarm here says that logs wait, are set aside, or soon will be; what to do is in docs/operating.md.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id
  topic_arn  = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${var.name}-alarms"
  alarms_arn = "arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${var.name}-*"
}

# ----------------------------------------------------------------------------------------------------------- the topic

resource "aws_kms_key" "alarms" {
  description             = "${var.name}: alarms on their way to people"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without it the key could be managed by nobody; who in the account may use it is IAM's to say.
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "AlarmsSpeak"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          ArnLike      = { "aws:SourceArn" = local.alarms_arn }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "alarms" {
  name          = "alias/${var.name}-alarms"
  target_key_id = aws_kms_key.alarms.key_id
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.alarms.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsSpeak"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = {
          ArnLike      = { "aws:SourceArn" = local.alarms_arn }
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

# ------------------------------------------------------------------------------------------------- what the workers say

locals {
  namespace = "logfanout/${var.name}"

  # Event in the workers' log to the metric it counts as.
  spoken = {
    message_failed        = "DeliveriesFailed"
    message_dead_lettered = "MessagesSetAside"
    events_not_delivered  = "EventsNotDelivered"
    breaker_opened        = "TenantsRefusing"
    account_slowed        = "AccountsThrottling"
    queue_failed          = "QueueCallsFailed"
    accounting_broke      = "Faults"
    message_crashed       = "Faults"
    worker_crashed        = "Faults"
    process_ended         = "Faults"
  }
}

resource "aws_cloudwatch_log_metric_filter" "spoken" {
  for_each = local.spoken

  name           = "${var.name}-${each.key}"
  log_group_name = var.log_group_name
  pattern        = "{ $.event = \"${each.key}\" }"

  metric_transformation {
    namespace     = local.namespace
    name          = each.value
    value         = "1"
    default_value = "0"
  }
}

# ---------------------------------------------------------------------------------------------------------- the alarms

locals {
  of_the_queue = {
    dead-letters = {
      says      = "Something can never be delivered, or was tried too often: logfanout dlq list says what and why"
      namespace = "AWS/SQS"
      metric    = "ApproximateNumberOfMessagesVisible"
      of        = { QueueName = var.dead_letters_name }
      statistic = "Maximum"
      over      = 0
      minutes   = 1
    }
    oldest-message = {
      says      = "Logs wait for longer than they should: too few workers, or SQS, S3, STS or a large tenant refuses"
      namespace = "AWS/SQS"
      metric    = "ApproximateAgeOfOldestMessage"
      of        = { QueueName = var.queue_name }
      statistic = "Maximum"
      over      = var.oldest_message_seconds
      minutes   = 10
    }
  }

  of_the_log = {
    failed-deliveries = {
      says      = "Deliveries fail and are tried again: message_failed in the workers' log names tenant and reason"
      namespace = local.namespace
      metric    = "DeliveriesFailed"
      of        = {}
      statistic = "Sum"
      over      = var.failed_deliveries_a_minute
      minutes   = 10
    }
    throttled-accounts = {
      says      = "Tenants' accounts throttle: account_slowed names them; their quota of PutLogEvents is theirs to raise"
      namespace = local.namespace
      metric    = "AccountsThrottling"
      of        = {}
      statistic = "Sum"
      over      = var.throttles_a_minute
      minutes   = 15
    }
    faults = {
      says      = "A fault of logfanout's own: the line in the workers' log belongs into a report"
      namespace = local.namespace
      metric    = "Faults"
      of        = {}
      statistic = "Sum"
      over      = 0
      minutes   = 1
    }
  }

  of_tables = {
    for table in var.table_names : "throttled-${table}" => {
      says      = "DynamoDB throttles reads of ${table}: workers serve their last good copy, and duplicates may pass the ledger"
      namespace = "AWS/DynamoDB"
      metric    = "ReadThrottleEvents"
      of        = { TableName = table }
      statistic = "Sum"
      over      = 10
      minutes   = 5
    }
  }

  of_fleets = merge([
    for name, fleet in var.fleets : {
      "${name}-at-maximum" = {
        says      = "The fleet has all the tasks it may have: raise maximum_tasks, or see what slows it"
        namespace = "ECS/ContainerInsights"
        metric    = "RunningTaskCount"
        of        = { ClusterName = fleet.cluster_name, ServiceName = fleet.service_name }
        statistic = "Minimum"
        over      = fleet.maximum_tasks - 1
        minutes   = 15
      }
    }
  ]...)

  of_functions = merge([
    for name, function in var.functions : {
      "${name}-throttled" = {
        says      = "The function is throttled: the account's concurrency is used up, by it or by others"
        namespace = "AWS/Lambda"
        metric    = "Throttles"
        of        = { FunctionName = function.function_name }
        statistic = "Sum"
        over      = 0
        minutes   = 5
      }
      "${name}-errors" = {
        says      = "Whole batches fail: the function does not start, times out or runs out of memory"
        namespace = "AWS/Lambda"
        metric    = "Errors"
        of        = { FunctionName = function.function_name }
        statistic = "Sum"
        over      = 0
        minutes   = 5
      }
      "${name}-at-maximum" = {
        says      = "As many functions run as may: raise maximum_concurrency, or move to the fleet"
        namespace = "AWS/Lambda"
        metric    = "ConcurrentExecutions"
        of        = { FunctionName = function.function_name }
        statistic = "Maximum"
        over      = function.maximum_concurrency - 1
        minutes   = 15
      }
    }
  ]...)

  alarms = merge(local.of_the_queue, local.of_the_log, local.of_tables, local.of_fleets, local.of_functions)
}

resource "aws_cloudwatch_metric_alarm" "people" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.of
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.over
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A fleet that is gone sends no metric at all: here silence is the alarm.
resource "aws_cloudwatch_metric_alarm" "nobody_works" {
  for_each = var.fleets

  alarm_name          = "${var.name}-${each.key}-nobody-works"
  alarm_description   = "No task runs: look at the service's events, then at the image and the starter role"
  namespace           = "ECS/ContainerInsights"
  metric_name         = "RunningTaskCount"
  dimensions          = { ClusterName = each.value.cluster_name, ServiceName = each.value.service_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# -------------------------------------------------------------------------------------------------------- the dashboard

locals {
  charts = concat(
    [
      {
        title = "Messages: waiting, in hand"
        metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.queue_name],
          ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", var.queue_name],
        ]
        stat = "Maximum"
      },
      {
        title   = "Age of the oldest message, seconds"
        metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.queue_name]]
        stat    = "Maximum"
      },
      {
        title   = "Dead letters"
        metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letters_name]]
        stat    = "Maximum"
      },
      {
        title   = "What the workers' log says, a minute"
        metrics = [for metric in sort(distinct(values(local.spoken))) : [local.namespace, metric]]
        stat    = "Sum"
      },
    ],
    [
      for name, fleet in var.fleets : {
        title = "Tasks of ${name}: running, wanted"
        metrics = [
          for metric in ["RunningTaskCount", "DesiredTaskCount"] :
          ["ECS/ContainerInsights", metric, "ClusterName", fleet.cluster_name, "ServiceName", fleet.service_name]
        ]
        stat = "Maximum"
      }
    ],
    [
      for name, fleet in var.fleets : {
        title = "CPU and memory of ${name}, percent"
        metrics = [
          for metric in ["CPUUtilization", "MemoryUtilization"] :
          ["AWS/ECS", metric, "ClusterName", fleet.cluster_name, "ServiceName", fleet.service_name]
        ]
        stat = "Average"
      }
    ],
    [
      for name, function in var.functions : {
        title = "Function ${name}"
        metrics = [
          for metric in ["ConcurrentExecutions", "Errors", "Throttles"] :
          ["AWS/Lambda", metric, "FunctionName", function.function_name]
        ]
        stat = "Maximum"
      }
    ],
  )
}

resource "aws_cloudwatch_dashboard" "region" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm"
        x          = 0
        y          = 0
        width      = 24
        height     = 3
        properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.people : alarm.arn] }
      }],
      [
        for number, chart in local.charts : {
          type   = "metric"
          x      = 12 * (number % 2)
          y      = 3 + 6 * floor(number / 2)
          width  = 12
          height = 6
          properties = {
            title   = chart.title
            metrics = chart.metrics
            stat    = chart.stat
            period  = 60
            region  = local.region
            view    = "timeSeries"
          }
        }
      ],
    )
  })
}
