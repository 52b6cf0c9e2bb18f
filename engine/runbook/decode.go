package runbook

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// decodeMain decodes the runbook's own file and says whether it holds a runbook
// block.
func (l *loader) decodeMain(body *hclsyntax.Body) bool {
	l.main = true
	defer func() { l.main = false }()
	l.checkWords(body, fileBlock)
	var first *hclsyntax.Block
	for _, block := range body.Blocks {
		if block.Type != "runbook" {
			continue
		}
		if first != nil {
			l.add(diag.Duplicate.At(block.DefRange(), "The file already holds a runbook at %s. One file is one runbook: move this one to a file of its own.", place(first.DefRange())))
			continue
		}
		first = block
		l.decodeRunbook(block)
	}
	if first == nil {
		at := hcl.Range{Filename: body.SrcRange.Filename, Start: hcl.InitialPos, End: hcl.InitialPos}
		l.add(diag.MissingBlock.At(at, "The file holds no runbook block. It begins with: runbook \"name\" { … }"))
	}
	l.decodeShared(body)
	for _, block := range body.Blocks {
		switch block.Type {
		case "step":
			l.decodeStep(block)
		case "output":
			l.decodeOutput(block)
		}
	}
	return first != nil
}

// decodeShared decodes the blocks that an included file may hold as well.
func (l *loader) decodeShared(body *hclsyntax.Body) {
	for _, block := range body.Blocks {
		switch block.Type {
		case "variable":
			l.decodeVariable(block)
		case "locals":
			l.decodeLocals(block)
		case "provider":
			l.decodeProvider(block)
		case "check":
			l.decodeCheck(block)
		case "notify", "escalation":
			l.decodeNotice(block)
		}
	}
}

func (l *loader) decodeRunbook(block *hclsyntax.Block) {
	rb, body := l.rb, block.Body
	rb.Range = block.DefRange()
	rb.Name, _ = l.label(block, "name")
	l.checkWords(body, runbookBlock)
	rb.Title = l.text(body, "title")
	rb.Description = l.text(body, "description")
	rb.Owner = l.text(body, "owner")
	rb.Severity = l.choice(body, runbookBlock.argument("severity"))
	if v, _, ok := l.value(body, "labels", cty.Map(cty.String)); ok {
		rb.Labels = map[string]string{}
		for k, v := range v.AsValueMap() {
			if !v.IsNull() {
				rb.Labels[k] = v.AsString()
			}
		}
	}
	if d := l.duration(body, "timeout", false); d != nil {
		rb.Timeout = *d
	}
	if said := l.choice(body, runbookBlock.argument("on_failure")); said != "" {
		rb.OnFailure = OnFailure(said)
	}
	if v, at, ok := l.value(body, "max_parallel", cty.Number); ok {
		n, acc := v.AsBigFloat().Int64()
		if acc != 0 || n < 1 || n > 10_000 {
			l.add(diag.InvalidArgument.At(at, "\"max_parallel\" takes a whole number from 1 to 10000."))
		} else {
			rb.MaxParallel = int(n)
		}
	}
	l.decodeInclude(body)
}

// label is the one label of a block, which must be a name.
func (l *loader) label(block *hclsyntax.Block, what string) (string, bool) {
	switch {
	case len(block.Labels) == 0:
		l.add(diag.InvalidLabel.At(block.DefRange(), "A %s block needs a %s: %s \"%s\" { … }", block.Type, what, block.Type, what))
		return "", false
	case len(block.Labels) > 1:
		l.add(diag.InvalidLabel.At(block.LabelRanges[1], "A %s block takes one label, its %s.", block.Type, what))
	}
	name := block.Labels[0]
	if len(name) > maxName {
		l.add(diag.InvalidName.At(block.LabelRanges[0], "A name of more than %d characters is none that people can use.", maxName))
		return name, false
	}
	if !isName(name) {
		l.add(diag.InvalidName.At(block.LabelRanges[0], "%q is no name: a name begins with a letter or an underscore and goes on with letters, digits, underscores and hyphens, all of them ASCII.", name))
		return name, false
	}
	return name, true
}

func (l *loader) noLabel(block *hclsyntax.Block) {
	if len(block.Labels) > 0 {
		l.add(diag.InvalidLabel.At(block.LabelRanges[0], "A %s block takes no label.", block.Type))
	}
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		case i > 0 && (c == '-' || '0' <= c && c <= '9'):
		default:
			return false
		}
	}
	return s != ""
}

func (l *loader) decodeVariable(block *hclsyntax.Block) {
	body := block.Body
	name, ok := l.label(block, "name")
	l.checkWords(body, variableBlock)
	v := &Variable{
		Name:        name,
		Type:        cty.DynamicPseudoType,
		Description: l.text(body, "description"),
		Sensitive:   l.boolean(body, "sensitive", false),
		Nullable:    l.boolean(body, "nullable", true),
		Env:         l.text(body, "env"),
		File:        l.text(body, "file"),
		Range:       block.DefRange(),
	}
	if attr := body.Attributes["type"]; attr != nil {
		t, defaults, diags := typeexpr.TypeConstraintWithDefaults(attr.Expr)
		l.diags.Add(diag.Adopt(diag.WrongType, diags)...)
		if !diags.HasErrors() {
			v.Type, v.TypeExpr, v.Defaults = t, attr.Expr, defaults
		}
	}
	if attr := body.Attributes["default"]; attr != nil {
		v.DefaultExpr = attr.Expr
		if given, ok := l.constant("A default", attr.Expr); ok {
			v.Default = l.convertDefault(v, given, attr.Expr.Range())
			l.warnOfSecret(v, given)
		}
	}
	for _, b := range body.Blocks {
		if b.Type != "validation" {
			continue
		}
		l.noLabel(b)
		l.checkWords(b.Body, validationBlock)
		val := &Validation{Range: b.DefRange()}
		val.Condition = l.required(b, "condition")
		val.Message = l.required(b, "message")
		if val.Condition != nil && val.Message != nil {
			v.Validations = append(v.Validations, val)
		}
	}
	if ok && l.declare("variable", name, v.Range) {
		l.rb.Variables[name] = v
	}
}

func (l *loader) convertDefault(v *Variable, given cty.Value, at hcl.Range) cty.Value {
	if given.IsNull() && !v.Nullable {
		l.add(diag.InvalidArgument.At(at, "The default is null, but the variable says nullable = false."))
		return cty.NilVal
	}
	if v.Defaults != nil && !given.IsNull() {
		given = v.Defaults.Apply(given)
	}
	converted, err := convertConstant(given, v.Type)
	if err != nil {
		l.add(diag.WrongType.At(at, "The default does not fit the variable's type: %s.", err))
		return cty.NilVal
	}
	return converted
}

// required is the expression of an argument that must be there.
func (l *loader) required(block *hclsyntax.Block, name string) hcl.Expression {
	attr := block.Body.Attributes[name]
	if attr == nil {
		l.add(diag.MissingArgument.At(block.DefRange(), "%s block needs the argument %q.", article(block.Type), name))
		return nil
	}
	return attr.Expr
}

func (l *loader) decodeLocals(block *hclsyntax.Block) {
	l.noLabel(block)
	for _, b := range block.Body.Blocks {
		l.add(diag.WrongShape.At(b.TypeRange, "Locals are arguments: write %s = … with an equals sign.", b.Type))
	}
	for _, attr := range SortedAttributes(block.Body) {
		if l.declare("local", attr.Name, attr.NameRange) {
			l.rb.Locals[attr.Name] = &Local{Name: attr.Name, Expr: attr.Expr, Range: attr.NameRange}
		}
	}
}

func (l *loader) decodeProvider(block *hclsyntax.Block) {
	name, ok := l.label(block, "name")
	p := &Provider{Name: name, Alias: l.text(block.Body, "alias"), Range: block.DefRange()}
	if p.Alias != "" && !isName(p.Alias) {
		l.add(diag.InvalidName.At(block.Body.Attributes["alias"].Expr.Range(), "%q is no name.", p.Alias))
		ok = false
	}
	p.Body = l.arguments(block.Body, providerBlock)
	if ok && l.declare("provider", p.Ref(), p.Range) {
		l.rb.Providers[p.Ref()] = p
	}
}

func (l *loader) decodeOutput(block *hclsyntax.Block) {
	name, ok := l.label(block, "name")
	l.checkWords(block.Body, outputBlock)
	o := &Output{
		Name:        name,
		Value:       l.required(block, "value"),
		Description: l.text(block.Body, "description"),
		Sensitive:   l.boolean(block.Body, "sensitive", false),
		Range:       block.DefRange(),
	}
	if ok && l.declare("output", name, o.Range) && o.Value != nil {
		l.rb.Outputs = append(l.rb.Outputs, o)
	}
}

// arguments is a body of nothing but arguments, with the engine's own words
// taken out.
func (l *loader) arguments(body *hclsyntax.Body, of *Block) *hclsyntax.Body {
	for _, b := range body.Blocks {
		l.add(diag.WrongShape.At(b.TypeRange, "%s holds arguments only: write %s = { … } with an equals sign.", article(of.Name), b.Type))
	}
	rest := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: body.SrcRange, EndRange: body.EndRange}
	for name, attr := range body.Attributes {
		rest.Attributes[name] = attr
	}
	for _, name := range of.args() {
		delete(rest.Attributes, name)
	}
	return rest
}

// decodeOperation decodes a probe or action block.
func (l *loader) decodeOperation(block *hclsyntax.Block) *Operation {
	op, operation := &Operation{Range: block.DefRange()}, probeBlock
	if block.Type == actionBlock.Name {
		operation = actionBlock
	}
	switch len(block.Labels) {
	case 0:
		l.add(diag.InvalidLabel.At(block.DefRange(), "%s needs a label that names the provider and what it does: %s \"postgres.query\" { … }", article(block.Type), block.Type))
		return nil
	case 1:
	default:
		l.add(diag.InvalidLabel.At(block.LabelRanges[1], "%s takes one label, such as \"postgres.query\".", article(block.Type)))
	}
	op.LabelRange = block.LabelRanges[0]
	provider, name, ok := strings.Cut(block.Labels[0], ".")
	if !ok || !isName(provider) || !isName(name) {
		l.add(diag.InvalidLabel.At(op.LabelRange, "%q does not name %s: the label is PROVIDER.NAME, such as \"postgres.query\".", block.Labels[0], strings.ToLower(article(block.Type))))
		return nil
	}
	op.Provider, op.Name, op.Ref = provider, name, provider
	op.Sensitive = l.boolean(block.Body, "sensitive", false)
	if attr := block.Body.Attributes["provider"]; attr != nil {
		op.Ref = l.providerRef(attr.Expr, provider)
	}
	op.Body = l.arguments(block.Body, operation)
	return op
}

// providerRef reads provider = postgres.replica.
func (l *loader) providerRef(expr hclsyntax.Expression, provider string) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(t) > 2 {
		l.add(diag.InvalidReference.At(expr.Range(), "\"provider\" names a configuration, such as %s.replica, without quotes.", provider))
		return provider
	}
	if t.RootName() != provider {
		l.add(diag.InvalidReference.At(expr.Range(), "This is an operation of provider %q; it cannot use a configuration of %q.", provider, t.RootName()))
		return provider
	}
	ref := provider
	if len(t) == 2 {
		alias, ok := stepName(t[1])
		if !ok {
			l.add(diag.InvalidReference.At(expr.Range(), "\"provider\" names a configuration, such as %s.replica.", provider))
			return provider
		}
		ref += "." + alias
	}
	l.providerRefs = append(l.providerRefs, providerUse{ref: ref, at: expr.Range()})
	return ref
}
