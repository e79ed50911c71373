"""What differs between the kinds of tasks in fine-tuning: network, objective, answers, scores, baselines, figures."""
