#!/usr/bin/env bash
# Keeps riddles out of what people read: pages, descriptions of options, texts of the programs, and
# comments. docs/glossary.md has the terms. Prints each line that has one, and what to write
# instead.
set -euo pipefail
cd "$(dirname "$0")/../.."

code=0
# riddle PATTERN BETTER
riddle() {
  local found
  found=$(
    git ls-files -z -- '*.md' ':!CHANGELOG.md' | xargs -0 grep -nE -- "$1" || true
    git ls-files -z -- 'modules/*.nix' | xargs -0 grep -nE -- "(description|message|note|Doc).*($1)" || true
    git ls-files -z -- 'cli/*/src/*.rs' | xargs -0 grep -nE -- "^[^/]*\"[^\"]*($1)" || true
  )
  [ -z "$found" ] || {
    code=1
    printf '%s\n' "$found" | sed "s|\$|  <- better: $2|"
  }
}
# comment PATTERN BETTER: the same in comments. clap's help in cli/deploy/src/args is not a comment.
comment() {
  local found
  found=$(
    git ls-files -z -- 'cli/*.rs' ':!cli/deploy/src/args' |
      xargs -0 grep -nE -- "^ *//[/!]? ($1)" || true
  )
  [ -z "$found" ] || {
    code=1
    printf '%s\n' "$found" | sed "s|\$|  <- better: $2|"
  }
}
riddle '\bbears\b' 'has, carries'
riddle '\bheeds?\b' 'uses, follows, ignores'
riddle 'of itself\b' 'what the machine reports'
riddle 'cannot be told' 'cannot determine'
riddle "in nobody's words" 'name who uses it'
riddle 'lets nobody in' 'rejects the login'
riddle 'whose word counts' 'who is believed'
riddle 'lost sight of' 'lost contact with'
riddle 'nobody could be asked|nobody is there' 'there is no terminal, cannot ask'
riddle 'without a word\b' 'silently, without a message'
riddle 'is of something else' 'mismatch'
riddle 'what no agent says' 'unexpected reply'
riddle "nobody's (key|word)" 'name whose'
comment '(Who|Whoever|Whatever|One (that|who)|Those (that|who|of)) ' 'begin with the subject'
comment '.*cannot be told' 'cannot be determined'
comment '.*\bthe way back\b' 'the rollback'
comment '.*\ball the same\b' 'nevertheless'
comment '.*\b(system|generation|programs) of before\b' 'the previous system'
comment '.*\blast word\b' 'last result'
comment ".*\bnobody's\b" 'name whose'
exit "$code"
