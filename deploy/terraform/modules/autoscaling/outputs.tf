output "maximum_tasks" {
  description = "Tasks at most, for the alarm that says the fleet cannot grow any more."
  value       = aws_appautoscaling_target.workers.max_capacity
}

output "backlog_expression" {
  description = "The metric math behind the scaling, to look at in CloudWatch."
  value       = one([for metric in aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics : metric.expression if metric.return_data])
}
