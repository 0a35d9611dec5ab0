// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration file, where, and what was expected; all of it, not only the first.

import Yams

/// One thing that is wrong.
public struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int
    public var message: String

    public var description: String { "\(self.file):\(self.line):\(self.column): \(self.message)" }
}

/// Everything that is wrong with one file; never empty.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]

    public var description: String { self.problems.map(\.description).joined(separator: "\n") }
}

/// Collects problems while a file is read.
final class ProblemList {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    /// Keys asked for, by the path of their mapping without indices: what the schema must list.
    private(set) var knownKeys: [String: Set<String>] = [:]

    func know(_ keys: [String], at path: String) {
        let plain = path.replacing(/\[[0-9]+\]/, with: "")
        self.knownKeys[plain, default: []].formUnion(keys)
    }

    init(file: String) {
        self.file = file
    }

    func add(_ mark: Mark?, _ message: String) {
        self.problems.append(
            ConfigurationProblem(file: self.file, line: mark?.line ?? 1, column: mark?.column ?? 1, message: message))
    }

    func add(_ node: Node, _ message: String) { self.add(node.mark, message) }
}
