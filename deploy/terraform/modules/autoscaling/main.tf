# How many tasks?
#
#     (visible + in flight) / running tasks ──► held at backlog_per_task       (target tracking: out fast, in slowly)
#     age of the oldest message             ──► more tasks at once, if it grows (steps)
#
# A task that is delivering protects itself from scale-in (the worker asks ECS), so scaling in never cuts a delivery.

resource "aws_appautoscaling_target" "workers" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${var.service_name}"
  min_capacity       = var.minimum_tasks
  max_capacity       = var.maximum_tasks
}

# --------------------------------------------------------------------------------------------------------- the backlog

resource "aws_appautoscaling_policy" "backlog" {
  name               = "${var.name}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension
  resource_id        = aws_appautoscaling_target.workers.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_task
    scale_out_cooldown = var.scale_out_seconds
    scale_in_cooldown  = var.scale_in_seconds

    customized_metric_specification {
      metrics {
        id          = "visible"
        label       = "Messages that wait"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/SQS"
            metric_name = "ApproximateNumberOfMessagesVisible"

            dimensions {
              name  = "QueueName"
              value = var.queue_name
            }
          }
        }
      }

      # Without them a fleet that has everything in hand looks idle, and is scaled in.
      metrics {
        id          = "in_flight"
        label       = "Messages in hand"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/SQS"
            metric_name = "ApproximateNumberOfMessagesNotVisible"

            dimensions {
              name  = "QueueName"
              value = var.queue_name
            }
          }
        }
      }

      metrics {
        id          = "running"
        label       = "Running tasks"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = var.cluster_name
            }

            dimensions {
              name  = "ServiceName"
              value = var.service_name
            }
          }
        }
      }

      # No tasks, or none counted yet, weigh as one: nothing is divided by zero, and a backlog still calls for tasks.
      metrics {
        id          = "backlog_per_task"
        label       = "Messages a task"
        expression  = "(visible + in_flight) / IF(FILL(running, 0) < 1, 1, FILL(running, 0))"
        return_data = true
      }
    }
  }
}

# ------------------------------------------------------------------------------------------------- the oldest message

resource "aws_appautoscaling_policy" "age" {
  name               = "${var.name}-age"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension
  resource_id        = aws_appautoscaling_target.workers.resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    min_adjustment_magnitude = 1
    metric_aggregation_type  = "Maximum"
    cooldown                 = 120

    # Up to twice as late as it may be: half as many again. Later than that: as many again.
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.oldest_message_seconds
      scaling_adjustment          = 50
    }

    step_adjustment {
      metric_interval_lower_bound = var.oldest_message_seconds
      scaling_adjustment          = 100
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "${var.name}-scale-out-on-age"
  alarm_description   = "Not for people: it makes the fleet grow while the oldest message waits longer than it should"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = var.queue_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.oldest_message_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.age.arn]
}
