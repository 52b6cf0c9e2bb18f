package eval

import (
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions is the table of functions for a runbook in dir, but for templatefile,
// which belongs to the evaluation that calls it. None reads the environment, runs
// a program or reaches a network; file reads inside dir.
func functions(dir string) map[string]function.Function {
	f := map[string]function.Function{
		"abs":      stdlib.AbsoluteFunc,
		"ceil":     stdlib.CeilFunc,
		"floor":    stdlib.FloorFunc,
		"log":      stdlib.LogFunc,
		"max":      stdlib.MaxFunc,
		"min":      stdlib.MinFunc,
		"parseint": before(stdlib.ParseIntFunc, digitsBound),
		"pow":      stdlib.PowFunc,
		"signum":   stdlib.SignumFunc,
		"sum":      sumFunc(),

		"chomp":       stdlib.ChompFunc,
		"endswith":    affixFunc("Whether the string ends with the suffix.", hasSuffix),
		"format":      before(stdlib.FormatFunc, formatBound),
		"formatlist":  before(stdlib.FormatListFunc, formatlistBound),
		"indent":      before(stdlib.IndentFunc, indentBound),
		"join":        before(stdlib.JoinFunc, joinBound),
		"lower":       stdlib.LowerFunc,
		"regex":       before(stdlib.RegexFunc, regexBound),
		"regexall":    before(stdlib.RegexAllFunc, regexallBound),
		"replace":     replaceFunc(),
		"split":       before(stdlib.SplitFunc, splitBound),
		"startswith":  affixFunc("Whether the string starts with the prefix.", hasPrefix),
		"strcontains": affixFunc("Whether the string contains the substring.", contains),
		"strrev":      stdlib.ReverseFunc,
		"substr":      stdlib.SubstrFunc,
		"title":       stdlib.TitleFunc,
		"trim":        stdlib.TrimFunc,
		"trimprefix":  stdlib.TrimPrefixFunc,
		"trimspace":   stdlib.TrimSpaceFunc,
		"trimsuffix":  stdlib.TrimSuffixFunc,
		"upper":       stdlib.UpperFunc,

		"alltrue":         truthFunc("Whether every element is true; true for none.", true),
		"anytrue":         truthFunc("Whether an element is true; false for none.", false),
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        coalesceFunc(),
		"coalescelist":    before(stdlib.CoalesceListFunc, fewBound),
		"compact":         stdlib.CompactFunc,
		"concat":          before(stdlib.ConcatFunc, gatherBound),
		"contains":        stdlib.ContainsFunc,
		"distinct":        distinctFunc(),
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"index":           indexFunc(),
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunc(),
		"lookup":          lookupFunc(),
		"matchkeys":       matchkeysFunc(),
		"merge":           before(stdlib.MergeFunc, gatherBound),
		"one":             oneFunc(),
		"range":           stdlib.RangeFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": before(stdlib.SetIntersectionFunc, fewBound),
		"setproduct":      setproductFunc(),
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        before(stdlib.SetUnionFunc, gatherBound),
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"transpose":       transposeFunc(),
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,

		"base64decode": base64decodeFunc(),
		"base64encode": textFunc("The string in base64.", base64encode),
		"csvdecode":    before(stdlib.CSVDecodeFunc, csvBound),
		"jsondecode":   before(stdlib.JSONDecodeFunc, jsonBound),
		"jsonencode":   stdlib.JSONEncodeFunc,
		"urldecode":    urldecodeFunc(),
		"urlencode":    textFunc("The string, escaped for the query of a URL.", urlencode),

		"base64sha256": textFunc("The SHA-256 of the string, in base64.", base64sha256),
		"base64sha512": textFunc("The SHA-512 of the string, in base64.", base64sha512),
		"md5":          textFunc("The MD5 of the string, in hexadecimal. It guards against accidents only.", md5hex),
		"sha1":         textFunc("The SHA-1 of the string, in hexadecimal. It guards against accidents only.", sha1hex),
		"sha256":       textFunc("The SHA-256 of the string, in hexadecimal.", sha256hex),
		"sha512":       textFunc("The SHA-512 of the string, in hexadecimal.", sha512hex),

		"duration":   durationFunc(),
		"formatdate": stdlib.FormatDateFunc,
		"timeadd":    stdlib.TimeAddFunc,
		"timecmp":    timecmpFunc(),

		"tobool":   stdlib.MakeToFunc(cty.Bool),
		"tolist":   stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":    stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber": before(stdlib.MakeToFunc(cty.Number), digitsBound),
		"toset":    stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring": stdlib.MakeToFunc(cty.String),
		"try":      tryfunc.TryFunc,
		"can":      tryfunc.CanFunc,

		"basename": textFunc("The last element of a path.", basename),
		"dirname":  textFunc("All of a path but its last element.", dirname),
		"file":     fileFunc(dir),

		"nonsensitive":        nonsensitiveFunc(),
		"sensitive":           sensitiveFunc(),
		"shellquote":          textFunc("The string as one word of a POSIX shell.", shellquote),
		"sqlquote_identifier": sqlquoteFunc(),
	}
	return f
}
