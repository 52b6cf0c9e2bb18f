runbook "x" {}
# a right-to-left override ‮ here # error: forbidden_character.*U\+202E \(RIGHT-TO-LEFT OVERRIDE\), which changes the direction
step "a" {
  title = "zero​width" # error: forbidden_character.*invisible character U\+200B
  description = "bell" # error: forbidden_character.*control character U\+0007
}
# tag 󠁁 # error: forbidden_character.*tag character U\+E0041
# a usеr of another alphabet # error: forbidden_character.*U\+0435 \(CYRILLIC SMALL LETTER IE\) stands among letters of the Latin
# not UTF-8 � # error: forbidden_character.*not UTF-8
