variable "host" {
  default = "localhost"
}
