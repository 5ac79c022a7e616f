"""What any machine is made of: tasks, fragments of states, and the ways of failing and going on."""
