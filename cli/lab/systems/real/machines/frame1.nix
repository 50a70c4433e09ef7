{ environment.etc.generation.text = "1\n"; }
