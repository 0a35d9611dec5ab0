// SPDX-License-Identifier: Apache-2.0
// What can go wrong with local subscribers, in words for the operator.

/// Why something was not done.
public enum LocalAAAError: Error, Equatable, Sendable, CustomStringConvertible {
    case exists(String)
    case unknown(String)
    case definedInFile(name: String, file: String)
    /// Two operators at once.
    case busy(String)
    case invalid(String)
    case store(String)
    case keyFile(String)

    public var description: String {
        switch self {
        case .exists(let name): return "subscriber \(name) exists already: change it with set, or delete it first"
        case .unknown(let name): return "there is no subscriber \(name)"
        case .definedInFile(let name, let file):
            return "subscriber \(name) is defined in \(file): change it there and restart the controller"
        case .busy(let name): return "subscriber \(name) is being changed by somebody else: try again"
        case .invalid(let words), .store(let words), .keyFile(let words): return words
        }
    }
}
