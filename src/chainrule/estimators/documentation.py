"""What the docstrings of both estimators share."""

PARAMETERS = """
    hidden_layer_sizes
        The width of each hidden layer; ``()`` makes a linear model.
    activation
        Of the hidden layers: a name in ``chainrule.ACTIVATIONS``, a formula in ``z``, a pair of functions
        (value, derivative), an Activation; or a list with one for each layer.
    {loss}
    solver
        "auto" is Adam with β₂ = 0.95 (arXiv:2407.04491). Or a name in
        ``chainrule.OPTIMIZERS``, such as "adam", "sgd" or "lbfgs"; "sgd(0.9, 1)" or
        ``chainrule.sgd(momentum=0.9, nesterov=True)``; or an optax transformation, which then brings its
        own learning rate and schedule.
    learning_rate
        The schedule: a name in ``chainrule.SCHEDULES``. L-BFGS has neither schedule nor learning
        rate: its line search decides.
    learning_rate_init
        The learning rate that the schedule scales. "auto", where the solver is too, gives each kind of
        parameter a rate of its own (:mod:`chainrule.training.rates`); for another solver of Adam's kind it
        is 0.004 under a schedule that ends low, and the solver's usual one otherwise.
    batch_size
        Rows per step; "auto" is 32, 128 or 256, by the number of rows.
    max_iter
        Epochs at most. "auto" is 20 for numbers and 12 for classes, more where rows are few, fewer where
        they are millions; as long as networks do no better on their own rows than on those kept back, or
        these gain much, the schedule runs again, twice as long, at most twice.
    alpha
        L2 penalty, as scikit-learn's: each step's loss has ½ · alpha · Σ w², divided by the weight of
        the rows in a batch.
    l1
        L1 penalty: each step's loss has l1 · Σ |w|.
    weight_decay
        Decoupled weight decay of W. "auto" is 0.1 with the solver "auto", else the solver's own, mostly 0.
    max_norm
        Gradients of a larger norm are scaled down to it; None leaves them.
    dropout
        The share of hidden units that are silent in a training step; "auto" is 0 for numbers, 0.2 for
        classes, and 0 with L-BFGS or where a layer has fewer than 32 units.
    layer_norm, residual
        Layer normalisation before each activation; residual sums around layers of equal width.
    categorical_features
        Which columns are categories whatever they hold: names, positions, or one boolean for each column.
        "from_dtype" and None take texts, pandas and polars categoricals; booleans are numbers 0 and 1.
    scaling
        Of numbers: "robust" (median and quartiles, far values drawn in to ±3), "standard" (mean 0, spread
        1), or "quantile" (as a standard normal).
    numeric_embedding
        None; "periodic" (a number also as learnt waves, arXiv:2407.04491) or "piecewise_linear" (also by
        its place among 48 or 64 bins, half of them of equally many rows, half of values, up to 128
        different values being an edge each, arXiv:2203.05556; all inputs are then rescaled).
        "auto" is the latter, and None in a linear model and for more than 100 columns.
    scoring
        What chooses the best epoch on the rows kept back: "loss", the name of a scikit-learn scorer such as
        "roc_auc", or a callable (estimator, X, y) to number, greater is better.
    {extra}effort
        "fast", "balanced" or "best": how many networks learn, and for how long; "fast" has half the bins.
    n_members
        How many networks learn side by side; predictions are their mean. "auto" is 3, 5 or 10, by the
        ``effort``, and 1 where ``early_stopping`` is True or False, with L-BFGS, and below 20 rows. Where
        numbers are in bins and a network learns from fewer than 1,500 rows, each then has a smooth twin
        without bins (not with "fast", nor where ``scoring`` or a constant learning rate is asked for): the
        usual ones, the twins, or all are kept, by their loss on the rows that they did not learn from.
    time_limit
        Seconds after which ``fit`` should be done: as few epochs are planned as fit in. The result then
        depends on the machine's speed. None for no limit.
    early_stopping
        "auto": from 20 rows on, members are folds: each leaves out another part of the rows and keeps the
        epoch that is best on it; every row is judged by networks that did not see it. A single network has
        a part kept back from 200 rows on. True keeps back one part, ``validation_fraction`` of the rows,
        from all members; False keeps back none. All stop after ``n_iter_no_change`` epochs in which their
        mean is not better by ``tol``; "auto" is 20 at a constant learning rate, and never under a schedule,
        whose best epochs are its last.
    validation_fraction, n_iter_no_change, tol
        See ``early_stopping``.
    shuffle
        Whether the rows of an epoch come in a new order.
    warm_start
        Whether ``fit`` goes on from where the last one ended.
    device
        Where to learn and to answer: "cpu", "gpu", or None for JAX's choice, a GPU where it can use one. A
        model's file does not hold it.
    precision
        Of the products while learning, on a GPU: "float32"; "tf32" and "bf16" round their factors to 11 and 8
        significant bits, which is faster. Answers are always worked out in float32.
    random_state
        An int for the same bits each time, a RandomState, or None.
    verbose
        Whether to draw the progress on a terminal.
"""

ATTRIBUTES = """
    network_
        The :class:`chainrule.Network`: ``print`` it, ``trace`` it, check its gradients.
    members_
        What the networks learnt, as NumPy arrays with a leading axis of members.
    parameters_
        What the first of them learnt; ``parameters_[0].W`` is W¹ of shape (outputs, inputs).
    encoder_
        How columns become the network's inputs; ``encoder_.feature_names`` has a name for each.
    loss_curve_
        The training loss of each epoch, as the loss sees the targets.
    validation_scores_
        Minus the validation loss after each epoch, or the score by ``scoring``, greater is better, as
        HistGradientBoosting's; None without validation rows.
    validation_rows_
        The numbers of the rows that a network was judged by, from 0: all of them where members are folds;
        None if none were. ``unseen`` has answers to them by networks that did not learn from them.
    n_members_
        How many networks were kept.
    smooth_members_
        Which of them do not see numbers in bins, as booleans: see ``n_members``.
    folds_
        Which of the rows of weight above 0 each member learnt from, and which judged it.
    best_iteration_
        The epoch, from 1, whose parameters were kept.
    n_iter_
        Epochs that ran.
    coefs_, intercepts_, n_layers_, n_outputs_, loss_, best_loss_, best_validation_score_
        As scikit-learn's MLP has them; ``coefs_[0]`` is (W¹)ᵀ.
    n_features_in_, feature_names_in_
        As in every scikit-learn estimator.
"""
