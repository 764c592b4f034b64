output "topic_arn" {
  description = "ARN of the topic of alarms: subscribe who is to be told."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.region.dashboard_name
}

output "alarm_names" {
  description = "Names of all alarms for people."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.people : alarm.alarm_name], [for alarm in aws_cloudwatch_metric_alarm.nobody_works : alarm.alarm_name]))
}
