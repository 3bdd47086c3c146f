"""What a person looks at: contact sheets, explanations, reports and the live page."""
