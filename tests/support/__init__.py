"""What tests share: where the tree lies, small runs, trees and pictures, and doubles of models."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages, results/ and docs/."""

SUPPORT = Path(__file__).parent
"""A folder of modules that a user might have beside a run: `--model user_models:paste` finds them there."""
