// SPDX-License-Identifier: Apache-2.0
// Reads one YAML mapping key by key; a key that is absent, unknown or of the wrong kind becomes a problem with its place.

import BNGCore
import Yams

/// A mapping being read. Call `finish` last: it reports the keys nobody asked for.
struct MappingReader {
    let path: String
    let problems: ProblemList
    private let place: Node
    private var entries: [String: (key: Node, value: Node)] = [:]
    private var known: [String] = []

    /// nil (and a problem) if `node` is not a mapping.
    init?(_ node: Node, path: String, problems: ProblemList) {
        guard let mapping = node.mapping else {
            problems.add(node, "\(path): expected a mapping of keys, found \(Self.kind(node))")
            return nil
        }
        self.path = path
        self.problems = problems
        self.place = node
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                problems.add(key, "\(path): a key is a word")
                continue
            }
            self.entries[name] = (key, value)
        }
    }

    static func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): return scalar.string.isEmpty ? "nothing" : "\"\(scalar.string)\""
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .alias: return "an alias"
        }
    }

    func name(_ key: String) -> String { self.path.isEmpty ? key : "\(self.path).\(key)" }

    /// The value of an optional key.
    mutating func node(_ key: String) -> Node? {
        if !self.known.contains(key) { self.known.append(key) }
        return self.entries[key]?.value
    }

    /// The value of a key that must be there.
    mutating func required(_ key: String, _ expected: String) -> Node? {
        guard let node = self.node(key) else {
            self.problems.add(self.place, "\(self.name(key)) is missing: expected \(expected)")
            return nil
        }
        return node
    }

    /// Whether an optional key that is read elsewhere is there.
    func has(_ key: String) -> Bool { self.entries[key] != nil }

    func place(of key: String) -> Node { self.entries[key]?.value ?? self.place }

    /// A scalar turned into a value; nil and a problem if `parse` does not accept it.
    mutating func value<Value>(
        _ key: String, _ expected: String, required: Bool = false, _ parse: (String) -> Value?
    ) -> Value? {
        let found = required ? self.required(key, expected) : self.node(key)
        guard let found else { return nil }
        return self.problems.parse(found, self.name(key), expected, parse)
    }

    mutating func text(_ key: String, _ expected: String, required: Bool = false) -> String? {
        self.value(key, expected, required: required) { $0.isEmpty ? nil : $0 }
    }

    mutating func integer<Value: FixedWidthInteger>(
        _ key: String, _ range: ClosedRange<Value>, required: Bool = false
    ) -> Value? {
        self.value(key, "a number from \(range.lowerBound) to \(range.upperBound)", required: required) { text in
            Value(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _ type: Value.Type) -> Value?
    where Value.RawValue == String {
        let names = Value.allCases.map(\.rawValue).joined(separator: " | ")
        return self.value(key, names) { Value(rawValue: $0) }
    }

    mutating func address(_ key: String, required: Bool = false) -> IPv4Address? {
        self.value(key, "an IPv4 address", required: required) { IPv4Address($0) }
    }

    mutating func seconds(_ key: String, required: Bool = false) -> Seconds? {
        self.value(key, "a duration of whole seconds such as 90s, 30m, 52m30s, 1h or 1d", required: required) { text in
            Duration.milliseconds(text).flatMap { $0 % 1_000 == 0 ? UInt32(exactly: $0 / 1_000) : nil }.map {
                Seconds($0)
            }
        }
    }

    mutating func flag(_ key: String) -> Bool? {
        self.value(key, "true | false") { ["true": true, "false": false][$0] }
    }

    mutating func milliseconds(_ key: String, _ range: ClosedRange<UInt32>) -> UInt32? {
        self.value(key, "a duration from \(range.lowerBound)ms to \(range.upperBound)ms such as 500ms or 5s") { text in
            Duration.milliseconds(text).flatMap { UInt32(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// The elements of a list; empty if the key is absent.
    mutating func list(_ key: String, required: Bool = false) -> [Node] {
        let found = required ? self.required(key, "a list") : self.node(key)
        guard let found else { return [] }
        guard let sequence = found.sequence else {
            self.problems.add(found, "\(self.name(key)): expected a list, found \(Self.kind(found))")
            return []
        }
        if required, sequence.isEmpty { self.problems.add(found, "\(self.name(key)): expected at least one entry") }
        return Array(sequence)
    }

    /// Reports every key that nobody asked for.
    func finish() {
        self.problems.know(self.known, at: self.path)
        for (name, entry) in self.entries where !self.known.contains(name) {
            self.problems.add(
                entry.key, "unknown key \(self.name(name)): expected one of \(self.known.joined(separator: ", "))")
        }
    }
}

extension ProblemList {
    func parse<Value>(_ node: Node, _ name: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
        guard let scalar = node.scalar else {
            self.add(node, "\(name): expected \(expected), found \(MappingReader.kind(node))")
            return nil
        }
        guard let value = parse(scalar.string) else {
            self.add(node, "\(name): expected \(expected), found \"\(scalar.string)\"")
            return nil
        }
        return value
    }
}
