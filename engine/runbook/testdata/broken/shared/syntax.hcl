locals {
  a = [1, 2
  b = 3 # error: syntax.*Missing item separator
}
