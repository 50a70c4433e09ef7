//! A file of rules with one more rule.

use rnix::{
    Root,
    ast::{Expr, HasEntry},
};
use rowan::ast::AstNode;

/// The text with a rule for `name`, whose keys are those of the Nix expression `keys`. `None` where the
/// text is no expression. Whether it means what it should, Nix says.
pub fn added(text: &str, name: &str, keys: &str) -> Option<String> {
    let parsed = Root::parse(text);
    if !parsed.errors().is_empty() {
        return None;
    }
    let body = body(parsed.tree().expr()?)?;
    let rule = format!("\"{name}\".publicKeys = {keys};");
    let range = body.syntax().text_range();
    let (begin, end) = (usize::from(range.start()), usize::from(range.end()));
    if let Expr::AttrSet(set) = &body
        && let Some(close) = set.r_curly_token()
    {
        let close = usize::from(close.text_range().start());
        let indent = set.entries().last().and_then(|entry| {
            let at = usize::from(entry.syntax().text_range().start());
            let line = &text[text[..at].rfind('\n')? + 1..at];
            line.chars().all(|c| matches!(c, ' ' | '\t')).then(|| line.to_owned())
        });
        let indent = indent.unwrap_or_else(|| "  ".into());
        let before = text[..close].trim_end();
        return Some(format!("{before}\n{indent}{rule}\n{}", &text[close..]));
    }
    let set = format!("// {{\n  {rule}\n}}");
    let whole = &text[begin..end];
    // What binds less than `//` is put into parentheses.
    let whole = match body {
        Expr::IfElse(_) | Expr::BinOp(_) | Expr::UnaryOp(_) => format!("({whole})"),
        _ => whole.to_owned(),
    };
    Some(format!("{}{whole}\n{set}{}", &text[..begin], &text[end..]))
}

/// The expression that the rules are, behind what gives it names.
fn body(expr: Expr) -> Option<Expr> {
    match expr {
        Expr::LetIn(inner) => body(inner.body()?),
        Expr::With(inner) => body(inner.body()?),
        Expr::Assert(inner) => body(inner.body()?),
        Expr::Lambda(_) | Expr::Error(_) => None,
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_rule(text: &str) -> String {
        added(text, "a.age", "k").unwrap_or_else(|| "none".into())
    }

    #[test]
    fn a_rule_is_added_to_whatever_the_rules_are() {
        let rule = "\"a.age\".publicKeys = k;";
        for (text, after) in [
            ("{ }", format!("{{\n  {rule}\n}}")),
            (
                "let\n  k = [ ];\nin\n{\n    b = 1; # one\n}\n",
                format!("let\n  k = [ ];\nin\n{{\n    b = 1; # one\n    {rule}\n}}\n"),
            ),
            (
                "let x = 1; in\nlistToAttrs [ x ]\n",
                format!("let x = 1; in\nlistToAttrs [ x ]\n// {{\n  {rule}\n}}\n"),
            ),
            ("a // b", format!("(a // b)\n// {{\n  {rule}\n}}")),
            ("if a then b else c", format!("(if a then b else c)\n// {{\n  {rule}\n}}")),
            ("with x; y", format!("with x; y\n// {{\n  {rule}\n}}")),
            ("{ }: { }", "none".to_owned()),
            ("{ a = ; }", "none".to_owned()),
        ] {
            assert_eq!(with_rule(text), after, "{text}");
        }
    }
}
