package schema

import "github.com/hashicorp/hcl/v2/hcldec"

// Spec decodes a body that holds exactly the object's attributes. Defaults are
// not filled in: a provider does that itself, so absent attributes are null.
func Spec(o Object) hcldec.Spec {
	spec := make(hcldec.ObjectSpec, len(o.Attributes))
	for _, a := range o.Attributes {
		spec[a.Name] = &hcldec.AttrSpec{Name: a.Name, Type: a.Type, Required: a.Required}
	}
	return spec
}
