package schema

type sensitivity string

// Sensitive is the cty mark of values that must not be shown. A provider never
// meets it: it is taken off on the way in and put on again on the way out. It
// may put it on parts of a result that its schema does not name.
const Sensitive sensitivity = "sensitive"
