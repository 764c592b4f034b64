"""What has been delivered already: of which object, to which destination, which records."""
