output "queue_url" {
  description = "URL of the queue: SQS_QUEUE_URL of the workers."
  value       = aws_sqs_queue.notices.url
}

output "queue_arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.notices.arn
}

output "queue_name" {
  description = "Name of the queue, as CloudWatch's metrics say it."
  value       = aws_sqs_queue.notices.name
}

output "dead_letters_url" {
  description = "URL of the dead letters."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letters_arn" {
  description = "ARN of the dead letters."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letters_name" {
  description = "Name of the dead letters, as CloudWatch's metrics say it."
  value       = aws_sqs_queue.dead_letters.name
}

output "key_arn" {
  description = "ARN of the key of both queues."
  value       = aws_kms_key.notices.arn
}

output "visibility_seconds" {
  description = "How long a received message stays hidden: LOGFANOUT_VISIBILITY_SECONDS of the workers."
  value       = aws_sqs_queue.notices.visibility_timeout_seconds
}
