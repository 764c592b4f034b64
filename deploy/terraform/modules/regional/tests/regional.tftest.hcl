mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name             = "logs"
  bucket_name      = "logs-999999999999"
  central_role_arn = "arn:aws:iam::999999999999:role/CentralLogDistribution"
  image            = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/logfanout:1.0.0"
  repository_arn   = "arn:aws:ecr:eu-central-1:999999999999:repository/logfanout"
  vpc_id           = "vpc-0123456789abcdef0"
  subnet_ids       = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  drain_seconds    = 40

  stop_timeout_seconds = 60
  visibility_seconds   = 300
}

run "what_one_part_makes_the_next_is_told" {
  command = apply

  variables {
    key_layout = "{cluster}/{tenant}/{application}/{pod}/"
    clusters   = { c1 = { tenants = ["acme"], eks_cluster_name = "prod" } }
  }

  assert {
    condition     = output.environment["LOGFANOUT_VISIBILITY_SECONDS"] == "300" && output.environment["LOGFANOUT_DRAIN_SECONDS"] == "40"
    error_message = "The workers must be told the queue's visibility and the task's drain."
  }

  assert {
    condition     = output.environment["LOGFANOUT_QUARANTINE_URI"] == "s3://logs-999999999999/logfanout-quarantine/" && output.environment["TENANT_CONFIG_TABLE"] == "tenant-configurations" && output.environment["LOGFANOUT_LEDGER_TABLE"] == "logs-ledger"
    error_message = "The workers must be told where the quarantine and the tables are."
  }

  assert {
    condition     = output.environment["LOGFANOUT_KEY_LAYOUT"] == "{cluster}/{tenant}/{application}/{pod}/" && keys(output.writer_role_arns) == ["c1"]
    error_message = "The workers must read keys as the collectors write them."
  }
}
