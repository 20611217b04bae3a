"""The tools every loom has: Read, Write, Edit, Glob, Grep, Shell."""
