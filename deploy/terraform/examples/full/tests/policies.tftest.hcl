# The whole region, each part with an ARN of its own: tests/deploy/test_terraform_policies.py reads the policies out of
# the state this run prints, and tries them.

mock_provider "aws" {
  source = "../../mocks"
}

variables {
  region      = "eu-central-1"
  name        = "logs"
  bucket_name = "logs-999999999999"
  image_tag   = "1.0.0"

  vpc_id          = "vpc-0123456789abcdef0"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids = ["rtb-0123456789abcdef0"]

  clusters = {
    prod = { tenants = ["acme", "bolt"], eks_cluster_name = "prod" }
  }
}

override_resource {
  target = module.regional.module.staging.aws_kms_key.logs
  values = { arn = "arn:aws:kms:eu-central-1:999999999999:key/logs" }
}

override_resource {
  target = module.regional.module.queue.aws_kms_key.notices
  values = { arn = "arn:aws:kms:eu-central-1:999999999999:key/notices" }
}

override_resource {
  target = module.regional.module.tenants.aws_kms_key.tables
  values = { arn = "arn:aws:kms:eu-central-1:999999999999:key/tables" }
}

override_resource {
  target = module.regional.module.fleet.aws_kms_key.log
  values = { arn = "arn:aws:kms:eu-central-1:999999999999:key/log" }
}

override_resource {
  target = module.regional.module.alarms.aws_kms_key.alarms
  values = { arn = "arn:aws:kms:eu-central-1:999999999999:key/alarms" }
}

override_resource {
  target = module.regional.module.queue.aws_sqs_queue.notices
  values = {
    arn = "arn:aws:sqs:eu-central-1:999999999999:logs-notices"
    url = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-notices"
    id  = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-notices"
  }
}

override_resource {
  target = module.regional.module.queue.aws_sqs_queue.dead_letters
  values = {
    arn = "arn:aws:sqs:eu-central-1:999999999999:logs-dead-letters"
    url = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
    id  = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
  }
}

override_resource {
  target = module.regional.module.tenants.aws_dynamodb_table.directory
  values = { arn = "arn:aws:dynamodb:eu-central-1:999999999999:table/tenant-configurations" }
}

override_resource {
  target = module.regional.module.tenants.aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-central-1:999999999999:table/logs-ledger" }
}

override_resource {
  target = module.regional.module.fleet.aws_iam_role.worker
  values = { arn = "arn:aws:iam::999999999999:role/logs-worker" }
}

override_resource {
  target = module.global.aws_iam_role.distribution
  values = { arn = "arn:aws:iam::999999999999:role/CentralLogDistribution" }
}

run "region" {
  command = apply

  variables {
    clusters = {
      prod    = { tenants = ["acme", "bolt"], eks_cluster_name = "prod" }
      staging = { tenants = ["acme"], oidc_provider_arn = "arn:aws:iam::999999999999:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC" }
    }
    brokers = { broker = { role_arns = ["arn:aws:iam::999999999999:role/log-broker"] } }
  }

  assert {
    condition     = output.central_role_arn == output.environment["CENTRAL_LOG_DISTRIBUTION_ROLE_ARN"]
    error_message = "The workers must be told the role that is made."
  }
}
