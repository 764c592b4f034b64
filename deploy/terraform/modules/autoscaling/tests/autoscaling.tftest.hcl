mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name         = "logs"
  cluster_name = "logs"
  service_name = "logs-worker"
  queue_name   = "logs-notices"
}

run "the_backlog_counts_what_is_in_hand" {
  command = apply

  assert {
    condition     = output.backlog_expression == "(visible + in_flight) / IF(FILL(running, 0) < 1, 1, FILL(running, 0))"
    error_message = "The backlog must be visible and in-flight messages, over running tasks that are never zero."
  }

  assert {
    condition = toset([
      for metric in aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.metric_stat[0].metric[0].metric_name if !metric.return_data
    ]) == toset(["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible", "RunningTaskCount"])
    error_message = "The expression must have its three metrics."
  }

  assert {
    condition = length([
      for metric in aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.id if metric.return_data
    ]) == 1
    error_message = "Exactly one series may be returned."
  }

  assert {
    condition     = aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].scale_in_cooldown >= 2 * aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].scale_out_cooldown
    error_message = "The fleet must shrink more slowly than it grows."
  }
}

run "an_old_message_makes_the_fleet_grow_and_never_shrink" {
  command = apply

  assert {
    condition     = alltrue([for step in aws_appautoscaling_policy.age.step_scaling_policy_configuration[0].step_adjustment : step.scaling_adjustment > 0])
    error_message = "Steps by age may only grow the fleet."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age.metric_name == "ApproximateAgeOfOldestMessage" && aws_cloudwatch_metric_alarm.age.alarm_actions == toset([aws_appautoscaling_policy.age.arn])
    error_message = "The age of the oldest message must set the steps off."
  }

  assert {
    condition     = aws_appautoscaling_target.workers.resource_id == "service/logs/logs-worker" && aws_appautoscaling_target.workers.min_capacity == 2
    error_message = "The service must be scaled, and never below two tasks unless asked for."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                   = "l"
    cluster_name           = "arn:aws:ecs:eu-central-1:999999999999:cluster/logs"
    service_name           = "arn:aws:ecs:eu-central-1:999999999999:service/logs/x"
    queue_name             = "https://sqs"
    minimum_tasks          = 30
    maximum_tasks          = 0
    backlog_per_task       = 0
    oldest_message_seconds = 10
    scale_out_seconds      = 10
    scale_in_seconds       = 60
  }

  expect_failures = [
    var.name, var.cluster_name, var.service_name, var.queue_name, var.maximum_tasks,
    var.backlog_per_task, var.oldest_message_seconds, var.scale_out_seconds,
  ]
}


run "values_that_do_not_fit_each_other_are_refused" {
  command = plan

  variables {
    minimum_tasks     = 30
    scale_out_seconds = 300
    scale_in_seconds  = 500
  }

  expect_failures = [var.minimum_tasks, var.scale_in_seconds]
}
