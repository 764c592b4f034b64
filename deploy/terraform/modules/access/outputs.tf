output "policy_arn" {
  description = "ARN of the policy, to attach to the role of whatever runs the worker."
  value       = aws_iam_policy.worker.arn
}

output "policy_json" {
  description = "The policy's text, for a role that is kept elsewhere."
  value       = aws_iam_policy.worker.policy
}

output "quarantine_prefix" {
  description = "What follows s3://BUCKET/ in LOGFANOUT_QUARANTINE_URI."
  value       = var.quarantine_prefix
}
