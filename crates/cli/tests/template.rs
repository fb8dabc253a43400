//! The templates of `deploy/`, as tools see them that others wrote for such.

mod common {
    pub(crate) mod account;
    pub(crate) mod python;
}

/// Lint, translation, and what each role may do.
#[test]
fn the_templates_are_sound() {
    common::python::unittest("test_template", &[]);
}
