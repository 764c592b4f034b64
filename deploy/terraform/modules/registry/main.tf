# Where does the image come from? A tag, once pushed, is that image for ever: what was tested is what runs.

resource "aws_ecr_repository" "worker" {
  #checkov:skip=CKV_AWS_136:The image is public code; ECR encrypts it with AES-256, and a key of our own would guard nothing
  name                 = var.repository_name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.destroy_with_images

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "worker" {
  repository = aws_ecr_repository.worker.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag is of no use after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Keep enough to roll back to"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.kept_images }
        action       = { type = "expire" }
      },
    ]
  })
}
